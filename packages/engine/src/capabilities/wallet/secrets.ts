/**
 * Texts that look like private keys. Wider than any parser: a key with one wrong letter is a secret all the same, and what
 * looks like one is never stored, logged or written into a file.
 */
const EXTENDED = /[a-zA-Z]prv[1-9A-HJ-NP-Za-km-z]{70,}/
/** Wallet import format: 51 or 52 base58 characters of a 0x80 or 0xef payload, standing alone. */
const IMPORT_FORMAT = /(?<![0-9A-Za-z])(?:[5KL9c][1-9A-HJ-NP-Za-km-z]{50,51})(?![0-9A-Za-z])/
/** BIP 38: encrypted, but a passphrase away from money. */
const ENCRYPTED = /(?<![0-9A-Za-z])6P[1-9A-HJ-NP-Za-km-z]{56}(?![0-9A-Za-z])/

/** True when some part of the text looks like a private key. */
export const holdsPrivateKey = (text: string): boolean =>
  EXTENDED.test(text) || IMPORT_FORMAT.test(text) || ENCRYPTED.test(text)
