/** The query that a newcomer sees first: the nested page that the whole design is about. */
export const EXAMPLE_QUERY = `# Run it twice and read the line below the answer:
# two SQL statements once warm, at any page size.
{
  campaigns(first: 5) {
    nodes {
      id
      title
      events(first: 2) {
        nodes {
          id
          title
        }
      }
    }
  }
}
`;
