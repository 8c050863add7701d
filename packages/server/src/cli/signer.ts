import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemEntropy } from '@kaccy/bitcoin/adapters/system'
import { Secret, toHex } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { addCommonFlags, type Bind, examples } from './context.ts'
import { readInput, writableOrThrow } from './output.ts'

const LENGTH = 32

/** `kaccy signer …` */
export function addSigner(program: Command, bind: Bind): void {
  const signer = program.command('signer').description('the process that holds the keys')
  const key = addCommonFlags(signer.command('receipt-key <file>')).description(
    'make the key of policy receipts where there is none, and print its public part for the signer',
  )
  bind(examples(key, ['kaccy signer receipt-key receipt.key']), async (context, [file = '']) => {
    const path = resolve(context.shell.folder, file)
    const isNew = !existsSync(path)
    if (isNew) {
      writableOrThrow(path)
      // Never over a key that another process made meanwhile: its signers know that one.
      const text = `${toHex(systemEntropy.bytes(LENGTH))}\n`
      writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
    }
    const text = new Secret((await readInput(context, file)).trim())
    // Loaded here alone: no other command needs a curve.
    const { createReceiptKey } = await import('@kaccy/bitcoin/signing')
    const { readReceiptKey } = await import('../host/receipt-key.ts')
    const publicKey = toHex(createReceiptKey(readReceiptKey(text)).publicKey)
    if (context.json) context.object({ file: path, created: isNew, public_key: publicKey })
    else context.line(publicKey)
    return EXIT.ok
  })
}
