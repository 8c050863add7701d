export { ANSWER_BYTES } from './exchange.ts'
export { type Resolve, systemResolve } from './resolve.ts'
export { createWebhookSender, TIMEOUT_MS, type WebhookSenderOptions } from './sender.ts'
