export type { Store, StoreTx } from '../../runtime/store.ts'
export type { Check, MakeStore, Subject } from './check.ts'
export * from './samples.ts'
export { storeConformance } from './suite.ts'
