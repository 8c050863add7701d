export type * from './ports.ts'
export * from './service.ts'
