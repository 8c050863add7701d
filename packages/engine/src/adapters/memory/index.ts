export {
  createMemoryStore,
  type MemoryStore,
  type MemoryStoreOptions,
  type MemoryTx,
} from './store.ts'
