/** Narrow no-break space: groups digits without breaking a column or a line. */
export const THIN = '\u202f'

/** Whole numbers with thin grouping: `2 100 000`. */
export const grouped = (value: bigint | number): string =>
  String(value).replace(/\B(?=(\d{3})+(?!\d))/g, THIN)

/** Satoshi as people read them. */
export const satText = (amount: bigint | number): string => `${grouped(amount)} sat`

/** The ends of a long id, enough to tell two apart: `5f0c1a…9b3e`. */
export const shortened = (text: string, head = 6, tail = 4): string =>
  text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`
