export { addressOf, scriptOf } from './chain/address.ts'
export { namedKey, type TestKey } from './chain/keys.ts'
export { START_HEIGHT, STRANGER_COIN_VALUE, STRANGER_COINS } from './chain/start.ts'
export { createDevnet, createDevnetInProcess, Devnet, type DevnetOptions } from './devnet.ts'
export { DevnetError, type DevnetErrorCode } from './failure.ts'
export { type ComputedFilter, computeBlockFilter } from './filters/raw.ts'
export type { Credentials } from './powers/access.ts'
export type { ClockSource } from './powers/clock.ts'
export type { CoinRef, Spend, SpendOptions } from './powers/coins.ts'
export {
  type ArmedFault,
  type Fault,
  type FaultKind,
  Faults,
  TransportFault,
} from './powers/faults.ts'
export type { Payment } from './powers/payment.ts'
export type { Posture } from './powers/posture.ts'
export { type Journey, Powers, type Snapshot } from './powers/powers.ts'
export type { Reorganisation, ReorgOptions, TransactionRef } from './powers/reorganisation.ts'
export type { ReplaceOptions } from './powers/replacement.ts'
export type { BlockPoint, ChainView, HeaderView } from './powers/view.ts'
export { methodNames } from './rpc/dispatch.ts'
export { RpcError } from './rpc/errors.ts'
export type { Json } from './rpc/json.ts'
export type { WalletsState } from './wallet/keep.ts'
export type { Wallets } from './wallet/wallets.ts'
export type { ZmqNotifier, ZmqOptions, ZmqPublisher } from './zmq/publisher.ts'
export type { ZmqTopic } from './zmq/topics.ts'
