/** `dlv_<webhook>_<number>`: the id leads to the row without an index of its own. */
export const deliveryId = (webhook: string, number: number): string =>
  `dlv_${webhook.replace(/^whk_/, '')}_${number}`

/** Webhook and number in the id of a delivery; undefined when it is none. */
export function parseDeliveryId(id: string): { webhook: string; number: number } | undefined {
  const [, webhook, number] = /^dlv_([0-9a-z]+)_([1-9]\d{0,14})$/.exec(id) ?? []
  return webhook && number ? { webhook: `whk_${webhook}`, number: Number(number) } : undefined
}
