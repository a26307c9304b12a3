import { defaultFieldResolver, type GraphQLSchema, isObjectType } from 'graphql';
import type { Clock } from '../../clock.ts';
import { type Execute, executeAlone } from './execution.ts';
import { FieldTrace, type ShownError } from './field-trace.ts';

/** What a traced request needs. It is made when the first one comes. */
interface Tools {
  readonly schema: GraphQLSchema;
  readonly encode: (trace: FieldTrace, errors: readonly ShownError[]) => string;
}

/** The traces of the requests under way, by their context. */
const traces = new WeakMap<object, FieldTrace>();

/**
 * Answers Apollo's router. The router asks by the header `apollo-federation-include-trace: ftv1` for a trace of each field, in
 * `extensions.ftv1`. Such requests run on a schema of their own, whose resolvers take the time. So the others pay nothing for it.
 *
 * @param execute executes all other requests
 * @param makeSchema makes another schema like theirs
 * @param clock the time
 * @returns executes both
 */
export function withApolloTrace(execute: Execute, makeSchema: () => GraphQLSchema, clock: Clock): Execute {
  let tools: Promise<Tools> | null = null;
  const withTrace = async (...[plan, state, variables, reply]: Parameters<Execute>) => {
    tools ??= makeTools(makeSchema);
    const { schema, encode } = await tools;
    const trace = new FieldTrace(clock);
    traces.set(state.context, trace);
    const result = await executeAlone(schema, plan, state, variables.given, reply);
    return { ...result, extensions: { ftv1: encode(trace, result.errors ?? []) } };
  };
  // Not by a promise: what waits for nothing is to be sent as if nobody could ask for a trace.
  return (...given) =>
    given[3].request.headers['apollo-federation-include-trace'] === 'ftv1' ? withTrace(...given) : execute(...given);
}

async function makeTools(makeSchema: () => GraphQLSchema): Promise<Tools> {
  const { Trace } = await import('@apollo/usage-reporting-protobuf');
  return {
    schema: traced(makeSchema()),
    encode: (trace, errors) => Buffer.from(Trace.encode(trace.finish(errors)).finish()).toString('base64'),
  };
}

/** Adds time measurement to every resolver. */
function traced(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const resolve = field.resolve ?? defaultFieldResolver;
      field.resolve = (source: unknown, args, context: object, info) => {
        const end = traces.get(context)?.begin(info);
        let result: unknown;
        try {
          result = resolve(source, args, context, info);
        } catch (error) {
          end?.();
          throw error;
        }
        if (!(result instanceof Promise)) {
          end?.();
          return result;
        }
        return result.finally(() => end?.());
      };
    }
  }
  return schema;
}
