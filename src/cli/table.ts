/** Lines of cells as aligned columns, two spaces apart: the first column and those in `left` to the left, figures to the right. */
export function renderTable(lines: readonly (readonly string[])[], left: readonly number[] = []): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map(line => line[column]!.length)))
  const aligned = (cell: string, column: number) =>
    column === 0 || left.includes(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
  return lines.map(line => `${line.map(aligned).join('  ').trimEnd()}\n`).join('')
}
