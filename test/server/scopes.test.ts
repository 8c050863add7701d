import { type Scope, SCOPES } from '@kaccy/bitcoin/access'
import { routeTable } from '@kaccy/bitcoin-server/http'
import { expect, test } from 'vitest'
import { partsOf, Served } from './served.ts'

/** Ids of the right form that nobody has. */
const PLACES: Readonly<Record<string, string>> = {
  wallet: `wal_${'0'.repeat(32)}`,
  order: `ord_${'0'.repeat(32)}`,
  payment: `pay_${'0'.repeat(64)}_0`,
  webhook: `whk_${'0'.repeat(32)}`,
  delivery: `dlv_${'0'.repeat(32)}_1`,
  key: `key_${'0'.repeat(32)}`,
  alert: 'alr_999999',
  withdrawal: `wdr_${'0'.repeat(32)}`,
  psbt: `psb_${'0'.repeat(32)}`,
  spend: `spd_${'0'.repeat(32)}`,
  consolidation: `cns_${'0'.repeat(32)}`,
  policy: '999999',
  branch: '0',
  index: '0',
}

test('every route asks for its scope and no other one opens it; ids that nobody has open nothing', async () => {
  const served = await Served.open()
  const routes = routeTable(partsOf(served.till)).flatMap(({ routes: own }) => own)
  expect(routes.length).toBeGreaterThan(50)
  const without = new Map<Scope, string>()
  for (const scope of SCOPES)
    without.set(scope, await served.key(SCOPES.filter((one) => one !== scope && one !== 'admin')))
  for (const { id, method, url, scope, schemas } of routes) {
    if (scope === 'public') continue
    const path = url.replaceAll(/:(\w+)/g, (_, name: string) => PLACES[name] ?? 'x')
    const call = {
      ...(schemas.body ? { body: {} } : {}),
      headers: { 'idempotency-key': id },
    }
    const stranger = await served.call(method, path, { token: '', ...call })
    expect([method, url, stranger.status]).toEqual([method, url, 401])
    if (scope === 'any') continue
    const token = without.get(scope) ?? ''
    const { status, json } = await served.call(method, path, { token, ...call })
    expect([method, url, status, json.code]).toEqual([method, url, 403, 'SCOPE_MISSING'])
    if (!url.includes(':')) continue
    const admin = await served.call(method, path, call)
    // A body that lacks what is required is refused before anything is looked for.
    const expected = admin.status === 400 && schemas.body ? 400 : 404
    expect([method, url, admin.status]).toEqual([method, url, expected])
  }
  await served.close()
})
