export { bodyOf, parseWebhookBody, type ReceivedEvent } from './body.ts'
export {
  createDispatcher,
  type Dispatcher,
  type DispatcherHealth,
  type DispatcherOptions,
} from './dispatcher.ts'
export { GIVE_UP_MS, LEASE_MS, SCHEDULE } from './policy.ts'
export type * from './ports.ts'
export {
  createMemoryInbox,
  createWebhookReceiver,
  type Receipt,
  type ReceiveRefusal,
  type WebhookInbox,
  type WebhookReceiver,
  type WebhookReceiverOptions,
} from './receiver.ts'
export { deliveryId, parseDeliveryId } from './delivery-id.ts'
export { createWebhooks, type WebhooksOptions, type WebhooksTx } from './service.ts'
export {
  newWebhookSecret,
  parseWebhookSecret,
  signWebhook,
  TOLERANCE_MS,
  type VerifiedWebhook,
  verifyWebhook,
  type WebhookHeaders,
} from './signature.ts'
export { checkWebhookUrl, type TargetRules, type WebhookTarget, whyNotReach } from './target.ts'
