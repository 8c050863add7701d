export type * from './model.ts'
export type * from './policy.ts'
