export type * from './facts.ts'
export type * from './ports.ts'
