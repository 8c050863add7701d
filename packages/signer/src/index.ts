export { createDesk, type Answer, type Desk, isNeededAt, type WalletStatus } from './desk.ts'
export type { Fault, Reason } from './check/refusal.ts'
export { SignerFailure } from './failure.ts'
export { createHome, type Home, openHome } from './home/home.ts'
export {
  DEFAULT_LIMITS,
  type RegisteredWallet,
  type Settings,
  type WalletLimits,
} from './home/registry.ts'
export { startServer, type RunningServer } from './http/server.ts'
