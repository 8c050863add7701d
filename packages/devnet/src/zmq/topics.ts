/** In Core's order: of two topics that one step concerns, the first here is published first. */
export const ZMQ_TOPICS = ['hashblock', 'hashtx', 'rawblock', 'rawtx', 'sequence'] as const
export type ZmqTopic = (typeof ZMQ_TOPICS)[number]
/** One publication; the counter is added by the publisher. */
export interface Notification {
  readonly topic: ZmqTopic
  readonly body: Uint8Array
}
