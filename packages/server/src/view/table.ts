import type { Meaning, Paint } from './paint.ts'

export type Align = 'left' | 'right'
export interface Column<Row> {
  readonly title: string
  readonly align?: Align
  readonly cell: (row: Row) => string
  readonly meaning?: (row: Row) => Meaning | undefined
}

/** Text in exactly `width` places; what does not fit ends in an ellipsis. */
export function padTo(text: string, width: number, align: Align = 'left'): string {
  const cut = text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text
  return align === 'left' ? cut.padEnd(width) : cut.padStart(width)
}

/** Rows under titles, columns as wide as what they hold. Nothing is cut: ids are there to be copied. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  paint: Paint,
): string[] {
  const cells = rows.map((row) => columns.map((column) => printable(column.cell(row))))
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...cells.map((line) => line[at]?.length ?? 0)),
  )
  const last = columns.length - 1
  const place = (text: string, at: number, align: Align = 'left') =>
    at === last && align === 'left' ? text : padTo(text, widths[at] ?? 0, align)
  const head = columns.map(({ title, align }, at) => place(title, at, align)).join('  ')
  const lines = rows.map((row, line) =>
    columns
      .map((column, at) => {
        const text = place(cells[line]?.[at] ?? '', at, column.align)
        const meaning = column.meaning?.(row)
        return meaning === undefined ? text : paint(meaning, text)
      })
      .join('  ')
      .trimEnd(),
  )
  return [paint('quiet', head.trimEnd()), ...lines]
}

/** Two columns of names and values, for one thing. */
export function renderFacts(facts: readonly (readonly [string, string])[], paint: Paint): string[] {
  const width = Math.max(...facts.map(([name]) => name.length))
  return facts.map(([name, value]) => `${paint('quiet', name.padEnd(width))}  ${printable(value)}`)
}

/** Text from outside drives no terminal: control characters are shown as spaces. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
