export type * from './ports.ts'
export {
  type Broadcast,
  type BroadcastOptions,
  createBroadcast,
  type SendReport,
} from './service.ts'
