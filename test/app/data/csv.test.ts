import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { t } from 'tap';
import { CsvError, type CsvField, readCsv } from '../../../src/app/data/csv.ts';

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Reads what is cut into pieces of a few bytes. */
async function read(content: string | Uint8Array, chunkSize = 3): Promise<(readonly CsvField[])[]> {
  const records: (readonly CsvField[])[] = [];
  for await (const record of readCsv(chunksOf(Buffer.from(content), chunkSize))) records.push(record);
  return records;
}

function values(records: (readonly CsvField[])[]): string[][] {
  return records.map((record) => record.map((field) => field.value));
}

t.test('reads what any writer of CSV writes, wherever it is cut', async (t) => {
  const value = fc.oneof(
    fc.string({
      unit: fc.constantFrom('"', ',', '\n', '\r\n', '\r', '\\', ' ', 'a', 'é', '日', '😀', '\ufffd', '\ufeff'),
    }),
    fc.string({ unit: 'grapheme' }),
  );
  const records = fc.array(fc.array(value, { minLength: 2, maxLength: 4 }), { minLength: 1 });
  const property = fc.asyncProperty(
    records,
    fc.constantFrom('\n', '\r\n'),
    fc.boolean(),
    fc.boolean(),
    fc.integer({ min: 1, max: 9 }),
    async (expected, lineEnd, quoteAll, endsWithLineEnd, chunkSize) => {
      const write = (text: string) => (quoteAll || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
      const lines = expected.map((record) => record.map(write).join(','));
      // A byte order mark is not part of the first value; this one is what `readCsv` drops.
      const content = `\ufeff${lines.join(lineEnd)}${endsWithLineEnd ? lineEnd : ''}`;
      const found = values(await read(content, chunkSize));
      t.strictSame(found, expected);
      t.strictSame(found, parse(content, { bom: true, relax_column_count: true, record_delimiter: lineEnd }));
    },
  );
  await fc.assert(property, { numRuns: 200 });
});

t.test('says where each field begins', async (t) => {
  const records = await read('id,body,at\n1,"two\nlines",x\r\n"2",,"\n"\n');
  t.strictSame(records, [
    [
      { value: 'id', line: 1, column: 1 },
      { value: 'body', line: 1, column: 4 },
      { value: 'at', line: 1, column: 9 },
    ],
    [
      { value: '1', line: 2, column: 1 },
      { value: 'two\nlines', line: 2, column: 3 },
      { value: 'x', line: 3, column: 8 },
    ],
    [
      { value: '2', line: 4, column: 1 },
      { value: '', line: 4, column: 5 },
      { value: '\n', line: 4, column: 6 },
    ],
  ]);
});

t.test('an empty file has no records, and an empty line is one', async (t) => {
  t.strictSame(values(await read('')), []);
  t.strictSame(values(await read('\ufeff')), []);
  t.strictSame(values(await read('a\n\nb')), [['a'], [''], ['b']]);
});

t.test('says where a file stops being CSV or UTF-8', async (t) => {
  const euro = [0xe2, 0x82, 0xac];
  const cases: [content: string | number[], line: number, column: number, message: RegExp][] = [
    ['a,b\n1,x"y\n', 2, 4, /write the quote inside twice/],
    ['a,b\n1,"x" \n', 2, 6, /must follow a closing quote/],
    ['a,b\n1,"x\ny"z\n', 3, 3, /must follow a closing quote/],
    ['a,b\n1,"x\n\n', 2, 3, /never closed/],
    ['a,b\n1,"', 2, 3, /never closed/],
    ['a,b\rc,d\r', 1, 4, /carriage return/],
    ['a\r', 1, 2, /carriage return/],
    [[97, 10, 98, 44, 0xff, 10], 2, 3, /not UTF-8/],
    [[97, 10, 34, 98, 10, 0xc0, 0x80, 34], 3, 1, /not UTF-8/],
    [[0xef, 0xbf, 0xbd, ...euro, 0xe2, 0x82, 97], 1, 3, /not UTF-8/],
    [[0xed, 0xa0, 0x80, 97], 1, 1, /not UTF-8/],
    [[97, 10, ...euro, 0xe2, 0x82], 2, 2, /middle of a UTF-8 character/],
    [[0x80, 0x80, 0x80, 0x80], 1, 1, /not UTF-8/],
  ];
  for (const [content, line, column, message] of cases) {
    for (const chunkSize of [1, 2, 5, 1000]) {
      const bytes = Buffer.from(content as string);
      await t.rejects(
        read(bytes, chunkSize),
        { name: 'CsvError', line, column, message },
        `${JSON.stringify(content)}`,
      );
    }
  }
});

t.test('a quote that is never closed does not take the memory of the whole file', async (t) => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a\n"');
    for (;;) yield Buffer.alloc(1024 * 1024, 'x');
  }
  const reading = (async () => {
    for await (const record of readCsv(endless())) t.ok(record);
  })();
  await t.rejects(
    reading,
    new CsvError(2, 1, 'this record is longer than 16777216 characters: is a quote not closed?'),
  );
});
