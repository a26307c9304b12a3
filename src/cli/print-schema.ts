import { printSchema } from 'graphql';
import { buildGraphQLSchema } from '../app/schema.ts';

process.stdout.write(`${printSchema(buildGraphQLSchema())}\n`);
