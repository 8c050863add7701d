export type { BroadcastOptions } from './options.ts'
export type * from './ports.ts'
export {
  type Broadcast,
  createBroadcast,
  type SendReport,
} from './service.ts'
