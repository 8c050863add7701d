/** What a migration needs to write one text for both databases. */
export interface Words {
  readonly text: string
  readonly int: string
  readonly bytes: string
  /** `create table` with the columns and constraints given, in the strictest form that the database has. */
  table(name: string, columns: readonly string[]): string
}

/** One step of the schema. Never edited once released: a change is a new number. */
export interface Migration {
  /** From 1, without gaps. */
  readonly version: number
  readonly name: string
  statements(words: Words): readonly string[]
}
