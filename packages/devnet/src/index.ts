export { addressOf, scriptOf } from './chain/address.ts'
export { namedKey, type TestKey } from './chain/keys.ts'
export { START_HEIGHT, STRANGER_COIN_VALUE, STRANGER_COINS } from './chain/start.ts'
export {
  createDevnet,
  createDevnetInProcess,
  Devnet,
  type DevnetOptions,
  type Snapshot,
  type TransactionRef,
} from './devnet.ts'
export { DevnetError, type DevnetErrorCode } from './failure.ts'
export type { Credentials } from './powers/access.ts'
export type { CoinRef, Payment, Spend, SpendOptions } from './powers/coins.ts'
export { type Fault, type FaultKind, Faults, TransportFault } from './powers/faults.ts'
export type { BlockPoint, ChainView, HeaderView } from './powers/view.ts'
export { methodNames } from './rpc/dispatch.ts'
export { RpcError } from './rpc/errors.ts'
export type { Json } from './rpc/json.ts'
export type { Posture } from './rpc/method.ts'
