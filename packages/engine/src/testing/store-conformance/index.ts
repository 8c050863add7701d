export type { Check, MakeStore, Subject } from './check.ts'
export { storeConformance } from './suite.ts'
