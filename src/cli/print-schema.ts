import { printSchema } from 'graphql';
import { buildGraphQLSchema } from '../graphql/schema.ts';

process.stdout.write(`${printSchema(buildGraphQLSchema())}\n`);
