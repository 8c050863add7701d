export * from './policy.ts'
export type * from './ports.ts'
export * from './service.ts'
export * from './transaction.ts'
