import { connect } from 'node:net'
import { addressOf, createDevnet, type Devnet, namedKey } from '@kaccy/devnet'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const NOW = 1_795_370_832_000
const shop = addressOf(namedKey('shop').script) ?? ''
let devnet: Devnet
let auth: string
beforeAll(async () => {
  devnet = await createDevnet({ clock: () => NOW, verifySignatures: false })
  const { user, password } = devnet.auth
  auth = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
})
afterAll(() => devnet.close())

interface Shown {
  readonly status: number
  readonly type: string | null
  readonly body: string
}
async function show(path: string, init: RequestInit = {}): Promise<Shown> {
  const response = await fetch(devnet.rpcUrl + path, init)
  const body = Buffer.from(await response.arrayBuffer()).toString('latin1')
  return { status: response.status, type: response.headers.get('content-type'), body }
}
const post = (body: string | Uint8Array<ArrayBuffer>, authorization = auth) =>
  show('/', { method: 'POST', headers: { authorization }, body })
const line = async (body: string | Uint8Array<ArrayBuffer>) => {
  const { status, body: text } = await post(body)
  return `${status} ${Buffer.from(text, 'latin1').toString('utf8')}`
}
const HTML = 'text/html; charset=ISO-8859-1'

describe('HTTP', () => {
  it('answers as Core and its library do', async () => {
    const only = 'JSONRPC server handles only POST requests'
    expect(await show('/')).toEqual({ status: 405, type: HTML, body: only })
    expect(await show('/', { method: 'DELETE' })).toEqual({ status: 405, type: HTML, body: '' })
    expect((await show('/', { method: 'OPTIONS' })).status).toBe(501)
    expect(await show('/nosuch')).toEqual({ status: 404, type: HTML, body: '' })
    const query = { method: 'POST', headers: { authorization: auth }, body: '{}' }
    expect((await show('/?x', query)).status).toBe(404)
    expect(await post('{}', 'Basic x')).toEqual({ status: 401, type: HTML, body: '' })
    expect((await post('{}', auth.replace('Basic', 'basic'))).status).toBe(401)
    expect((await post('{}', '')).status).toBe(401)
    expect((await show('/wallet/%zz%41', query)).status).toBe(400)
    const long = await post(' '.repeat(33 * 1024 * 1024)).catch(() => ({ status: 413 }))
    expect(long.status).toBe(413)
    expect((await post('{"method":"getblockcount"}')).status).toBe(200)
  })
  it('keeps a connection for several calls', async () => {
    const url = new URL(devnet.rpcUrl)
    const socket = connect(Number(url.port), url.hostname)
    const parts: string[] = []
    socket.on('data', (part) => parts.push(part.toString()))
    const body = '{"method":"getblockcount","id":1}'
    const head = `POST / HTTP/1.1\r\nHost: x\r\nAuthorization: ${auth}\r\n`
    const request = `${head}Content-Length: ${body.length}\r\n\r\n${body}`
    socket.write(request + request)
    const answers = () => parts.join('').match(/"result":110/g)?.length ?? 0
    for (let i = 0; i < 200 && answers() < 2; i++) await new Promise((r) => setTimeout(r, 5))
    expect(answers()).toBe(2)
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.write(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    await closed
    expect(answers()).toBe(3)
  })
})

describe('JSON-RPC', () => {
  it('gives every id back as it came, or none', async () => {
    const answered = (id: string) => `200 {"result":110,"error":null,"id":${id}}\n`
    for (const id of [
      '1.0',
      '1e3',
      '123456789012345678901234567890',
      'null',
      '"\\u007f€"',
      '[1,{"a":2.50}]',
    ]) {
      expect(await line(`{"method":"getblockcount","id":${id}}`)).toBe(answered(id))
    }
    expect(await line('{"method":"getblockcount"}')).toBe('200 {"result":110,"error":null}\n')
    expect(await line('{"jsonrpc":"2.0","method":"getblockcount"}')).toBe('204 ')
    expect(await line('{"jsonrpc":"1.1","method":"getblockcount","id":1}')).toBe(
      '400 {"result":null,"error":{"code":-32600,"message":"JSON-RPC version not supported"},"id":1}\n',
    )
    expect(await line('{"jsonrpc":"2.0","id":1}')).toBe(
      '400 {"jsonrpc":"2.0","error":{"code":-32600,"message":"Missing method"},"id":1}\n',
    )
  })
  it('answers batches of both versions, in which an id lasts until the next one', async () => {
    const invalid = (id: string) =>
      `{"result":null,"error":{"code":-32600,"message":"Invalid Request object"},"id":${id}}`
    const parts =
      '[5,{"method":"getblockcount","id":"x"},5,{"jsonrpc":"2.0","method":"getblockcount"},7]'
    expect(await line(parts)).toBe(
      `200 [${invalid('null')},{"result":110,"error":null,"id":"x"},${invalid('"x"')}]\n`,
    )
    expect(await line('[]')).toBe('200 []\n')
    expect(await line('[{"jsonrpc":"2.0","method":"getblockcount"}]')).toBe('204 ')
  })
  it('waits inside a batch, and holds nobody else up', async () => {
    const batch = line('[{"method":"waitfornewblock","id":1},{"method":"getblockcount","id":2}]')
    expect(await line('{"method":"getblockcount","id":3}')).toContain('"result":110')
    const [hash] = devnet.mine()
    expect(await batch).toBe(
      `200 [{"result":{"hash":"${hash}","height":111},"error":null,"id":1},{"result":111,"error":null,"id":2}]\n`,
    )
  })
  it('survives every JSON that is none, or too much', async () => {
    const parseError =
      '500 {"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null}\n'
    const broken: readonly (string | Uint8Array<ArrayBuffer>)[] = [
      '',
      '{',
      '[1,]',
      '{"a":1,}',
      "{'a':1}",
      '01',
      '1.',
      '+1',
      'NaN',
      'nul',
      '"\\x"',
      '"\\ud800"',
      '"\u0000"',
      '{"method":"getblockcount"} x',
      '['.repeat(600) + ']'.repeat(600),
      '['.repeat(2_000_000),
      `{"id":${'['.repeat(513)}${']'.repeat(513)},"method":"x"}`,
      Uint8Array.of(0x22, 0xff, 0x22),
      Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22),
      Uint8Array.of(0xef, 0xbb, 0xbf, 0x5b, 0x5d),
    ]
    for (const body of broken) expect(await line(body)).toBe(parseError)
    expect(await line('5')).toContain('Top-level object parse error')
    const deep = `${'['.repeat(510)}${']'.repeat(510)}`
    expect(await line(`{"id":${deep},"method":"getblockcount"}`)).toContain(`"id":${deep}`)
    // The first of two names counts, and a prototype is a name like any other.
    expect(await line('{"method":"getblockcount","method":"stop","id":1}')).toContain(
      '"result":111',
    )
    expect(await line('{"__proto__":{"method":"stop"},"id":1}')).toContain('Missing method')
    expect(
      await line('{"method":"getblockhash","params":{"__proto__":1,"height":0},"id":1}'),
    ).toContain('Unknown named parameter __proto__')
    expect(await line('{"method":"constructor","id":1}')).toMatch(/^404 /)
    expect(await line('{"method":"getblockhash","params":[1e400],"id":1}')).toContain(
      'JSON integer out of range',
    )
  }, 20_000)
  it('answers whatever is sent with JSON and a known status', async () => {
    const request = fc.record(
      {
        jsonrpc: fc.constantFrom('1.0', '2.0', 2, null),
        method: fc.oneof(
          fc.constantFrom('getblock', 'getblockhash', 'decodescript', 'scantxoutset', 'logging'),
          fc.jsonValue(),
        ),
        params: fc.oneof(fc.array(fc.jsonValue(), { maxLength: 4 }), fc.jsonValue()),
        id: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    const body = fc.oneof(request, fc.array(request, { maxLength: 3 }), fc.jsonValue())
    await fc.assert(
      fc.asyncProperty(body, async (value) => {
        const { status, body: text } = await post(JSON.stringify(value))
        expect([200, 204, 400, 404, 500]).toContain(status)
        if (status !== 204) expect(() => JSON.parse(text)).not.toThrow()
      }),
      { numRuns: 150 },
    )
  }, 20_000)
})

describe('REST', () => {
  const rest = (path: string, init?: RequestInit) => show(`/rest/${path}`, init)
  const text = async (path: string) => {
    const { status, type, body } = await rest(path)
    return `${status} ${type} ${body}`
  }
  const PLAIN = 'text/plain'
  it('shows blocks, headers and transactions in three formats, without a password', async () => {
    const { txid } = devnet.pay(shop, 5000n)
    const [hash = ''] = devnet.mine()
    const raw = Buffer.from(devnet.view.block(hash) ?? [])
    expect(await text(`block/${hash}.hex`)).toBe(`200 ${PLAIN} ${raw.toString('hex')}\n`)
    const binary = await rest(`block/${hash}.bin`)
    expect(binary.type).toBe('application/octet-stream')
    expect(Buffer.from(binary.body, 'latin1').equals(raw)).toBe(true)
    const full = JSON.parse((await rest(`block/${hash}.json`)).body)
    expect(full.tx[1].vin[0].prevout.height).toBeLessThan(devnet.tip.height)
    const slim = JSON.parse((await rest(`block/notxdetails/${hash}.json`)).body)
    expect(slim.tx).toEqual(devnet.view.blockTxids(hash))
    expect(await text(`tx/${txid}.hex`)).toBe(`200 ${PLAIN} ${devnet.rawTransaction(txid)}\n`)
    expect(JSON.parse((await rest(`tx/${txid}.json`)).body)).toMatchObject({
      txid,
      blockhash: hash,
    })
    const genesis = devnet.view.hashAt(0) ?? ''
    const three = await rest(`headers/${genesis}.bin?count=3`)
    expect(three.body).toHaveLength(240)
    expect((await rest(`headers/3/${genesis}.bin`)).body).toBe(three.body)
    expect(JSON.parse((await rest(`headers/${genesis}.json`)).body)).toHaveLength(5)
    expect(await text(`blockhashbyheight/0.hex`)).toBe(`200 ${PLAIN} ${genesis}\n`)
    const filter = devnet.call('getblockfilter', [hash]) as { filter: string; header: string }
    expect(JSON.parse((await rest(`blockfilter/basic/${hash}.json`)).body)).toEqual({
      filter: filter.filter,
    })
    expect(JSON.parse((await rest(`blockfilterheaders/basic/${hash}.json?count=1`)).body)).toEqual([
      filter.header,
    ])
  })
  it('shows the mempool and the coins', async () => {
    const { txid } = devnet.pay(shop, 7000n)
    expect(JSON.parse((await rest('mempool/info.json')).body).size).toBe(1)
    expect(Object.keys(JSON.parse((await rest('mempool/contents.json')).body))).toEqual([txid])
    const sequence = 'mempool/contents.json?verbose=false&mempool_sequence=true'
    expect(JSON.parse((await rest(sequence)).body).txids).toEqual([txid])
    const coins = `getutxos/checkmempool/${txid}-0/${txid}-9.json`
    const { bitmap, utxos } = JSON.parse((await rest(coins)).body)
    expect(bitmap).toBe('10')
    expect(utxos[0]).toMatchObject({ height: 0x7fffffff, value: 0.00007 })
    expect(JSON.parse((await rest(`getutxos/${txid}-0.json`)).body).bitmap).toBe('0')
    expect((await rest('chaininfo.json')).body).toContain('"chain":"regtest"')
    expect((await rest('deploymentinfo.json')).body).toContain('"taproot"')
  })
  it('refuses in the words of Core', async () => {
    const none = '0'.repeat(64)
    expect(await text('block/abc.hex')).toBe(`400 ${PLAIN} Invalid hash: abc\r\n`)
    expect(await text(`block/${none}.hex`)).toBe(`404 ${PLAIN} ${none} not found\r\n`)
    expect(await text(`tx/${none}.json`)).toBe(`404 ${PLAIN} ${none} not found\r\n`)
    expect(await text(`block/${devnet.tip.hash}`)).toBe(
      `404 ${PLAIN} output format not found (available: .bin, .hex, .json)\r\n`,
    )
    expect(await text('chaininfo.hex')).toBe(
      `404 ${PLAIN} output format not found (available: json)\r\n`,
    )
    expect(await text(`headers/${none}.json?count=0`)).toBe(
      `400 ${PLAIN} Header count is invalid or out of acceptable range (1-2000): 0\r\n`,
    )
    expect(await text('blockhashbyheight/9999.json')).toBe(
      `404 ${PLAIN} Block height out of range\r\n`,
    )
    expect(await text('getutxos.json')).toBe(`400 ${PLAIN} Error: empty request\r\n`)
    expect((await rest('nosuch')).status).toBe(404)
    await devnet.up({ warmingUp: true })
    expect(await text('chaininfo.json')).toMatch(/^503 .*Service temporarily unavailable: /)
    await devnet.up()
  })
  it('can be turned off', async () => {
    const silent = await createDevnet({ rest: false })
    const response = await fetch(`${silent.rpcUrl}/rest/chaininfo.json`)
    expect(response.status).toBe(404)
    await silent.close()
  })
})
