import type { Readable } from 'node:stream';

/**
 * @param child a process whose output is piped
 * @returns tells what it has written so far, to either stream
 */
export function outputOf({ stdout, stderr }: { readonly stdout: Readable; readonly stderr: Readable }): () => string {
  let output = '';
  for (const stream of [stdout, stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return () => output;
}
