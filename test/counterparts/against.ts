import {
  type BitcoindClient,
  type BitcoindOptions,
  createBitcoindClient,
} from '@kaccy/bitcoin/adapters/bitcoind'
import { Secret, type Txid } from '@kaccy/bitcoin/kernel'
import { type HttpNode, type Script, serve } from './http-node.ts'

export const PASSWORD = 'p4ssw0rd-that-nobody-may-see'
/** Four attempts without a pause between them. */
export const NOW = { attempts: 4, base_ms: 0, cap_ms: 0 }
let open: { client: BitcoindClient; node: HttpNode }[] = []

/** Ends what `against` started; for `afterEach`. */
export async function endAll(): Promise<void> {
  for (const { client, node } of open) {
    client.close()
    await node.stop()
  }
  open = []
}

/** A client against a stand-in that follows the script. */
export async function against(script: Script, options: Partial<BitcoindOptions> = {}) {
  const node = await serve(script)
  const auth = { user: 'u', password: new Secret(PASSWORD) }
  const client = createBitcoindClient({ url: node.url, auth, retry: NOW, ...options })
  open.push({ client, node })
  return { node, client }
}
export const says = (responseText: string, status = 200, contentType = 'application/json') =>
  against(() => ({ status, responseText, contentType }))

export const idOf = (body: string): number => (JSON.parse(body) as { id: number }).id
export const good = (body: string, result: unknown) => ({
  status: 200,
  responseText: `{"result":${JSON.stringify(result)},"error":null,"id":${idOf(body)}}\n`,
})
export const TXID = 'a1'.repeat(32) as Txid
export const send = (client: BitcoindClient) =>
  client.sendRawTransaction({ txid: TXID, raw: Uint8Array.of(1) })
