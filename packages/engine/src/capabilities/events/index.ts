export { originatingStore } from './origin.ts'
export type * from './ports.ts'
export { appendEvents, eventsAfter } from './service.ts'
export {
  createSubscribers,
  type EventHandler,
  type SubscribeOptions,
  type Subscribers,
  type SubscribersOptions,
  type Subscription,
  type SubscriptionStatus,
  type Timer,
  wakingStore,
} from './subscribers.ts'
export {
  areaOf,
  EVERYTHING,
  type EventGrant,
  matchesType,
  mayEventBeSeen,
  mayReadArea,
} from './visibility.ts'
