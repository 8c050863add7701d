import { createHash, generateKeyPairSync, sign } from 'node:crypto'

export interface Certificate {
  readonly cert: string
  readonly key: string
  /** SHA-256 of the certificate, hex in pairs with colons as tools print it. */
  readonly fingerprint: string
}

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts)
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff]
  return Buffer.concat([Uint8Array.of(tag, ...length), body])
}
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
const oid = (hex: string): Buffer => der(0x06, bytes(hex))
const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value, 'ascii'))

const ECDSA_SHA256 = der(0x30, oid('2a8648ce3d040302'))
const COMMON_NAME = oid('550403')
const ALT_NAMES = oid('551d11')
const CONSTRAINTS = oid('551d13')

/**
 * A self-signed certificate for 127.0.0.1 with a key made now, as small nodes make theirs (X.509 v3, RFC 5280). Built here
 * because no test should need a program or a private key in the repository.
 */
export function selfSigned(name: string): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = der(0x30, der(0x31, der(0x30, COMMON_NAME, text(0x0c, name))))
  const validity = der(0x30, text(0x17, '200101000000Z'), text(0x17, '491231235959Z'))
  const alternatives = der(0x30, text(0x82, 'localhost'), der(0x87, Uint8Array.of(127, 0, 0, 1)))
  const authority = der(0x30, der(0x01, Uint8Array.of(0xff)))
  const extensions = der(
    0xa3,
    der(
      0x30,
      der(0x30, ALT_NAMES, der(0x04, alternatives)),
      der(0x30, CONSTRAINTS, der(0x01, Uint8Array.of(0xff)), der(0x04, authority)),
    ),
  )
  const content = der(
    0x30,
    der(0xa0, der(0x02, Uint8Array.of(2))),
    der(0x02, Uint8Array.of(1)),
    ECDSA_SHA256,
    issuer,
    validity,
    issuer,
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions,
  )
  const signature = sign('sha256', content, privateKey)
  const whole = der(0x30, content, ECDSA_SHA256, der(0x03, Uint8Array.of(0), signature))
  const lines = whole.toString('base64').replace(/.{64}/g, '$&\n')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: createHash('sha256')
      .update(whole)
      .digest('hex')
      .replace(/..(?!$)/g, '$&:'),
  }
}
