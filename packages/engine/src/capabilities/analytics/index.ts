export * from './day.ts'
export type * from './ports.ts'
