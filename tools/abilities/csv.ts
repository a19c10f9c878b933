/** Rows of a CSV file by the names of its first line; quoted fields may hold commas, quotes and line breaks. */
export function readCsv(text: string): Record<string, string>[] {
  const [header = [], ...rows] = records(text.replace(/^\uFEFF/, ''))
  return rows
    .filter(row => row.length > 1)
    .map(row => Object.fromEntries(header.map((name, index) => [name, row[index] ?? ''])))
}

/** Writes rows as CSV, with the names as the first line. */
export function writeCsv(
  header: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): string {
  const field = (value: string | number | undefined) => {
    const text = String(value ?? '')
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return [header, ...rows].map(row => `${row.map(field).join(',')}\n`).join('')
}

function records(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    row.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
    if (end !== ',') {
      rows.push(row)
      row = []
    }
  }
  return rows
}
