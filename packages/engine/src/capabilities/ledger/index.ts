export * from './accounts.ts'
export * from './balances.ts'
export * from './books.ts'
export type * from './ports.ts'
