import { EngineError, Secret, tryFromHex } from '@kaccy/bitcoin/kernel'

const LENGTH = 32

/** The secret of the receipt key out of its text: 64 hex digits. @throws EngineError CONFIG_VALUE_INVALID */
export function readReceiptKey(text: Secret<string>): Secret<Uint8Array> {
  const bytes = tryFromHex(text.reveal().trim())
  if (bytes?.length === LENGTH) return new Secret(bytes)
  throw new EngineError(
    'CONFIG_VALUE_INVALID',
    'signer.receipt_key is no key of 64 hex digits: kaccy signer receipt-key makes one',
    { details: { param: 'signer.receipt_key' } },
  )
}
