import { parse, print } from 'graphql';

/** The nested page that the design is about. */
export const NESTED_QUERY = '{ campaigns(first: 5) { nodes { id title events(first: 2) { nodes { id title } } } } }';

/** The same with an explanation, which a newcomer sees first. */
export const EXAMPLE_QUERY = `# Run it twice and read the line below the answer:
# two SQL statements once warm, at any page size.
${print(parse(NESTED_QUERY))}
`;
