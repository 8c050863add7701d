import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { PageAssets } from './page.ts'
import { type CheckedTheme, themeRules } from './theme.ts'

/** A file that the page needs, under a name that changes with what is in it. */
export interface Asset {
  readonly name: string
  readonly type: string
  readonly body: Buffer
  /** Strong. */
  readonly etag: string
}
export interface PayAssets {
  /** By name. */
  readonly files: ReadonlyMap<string, Asset>
  readonly page: PageAssets
  /** Under a name that stays, because shops write it down. */
  readonly embed: Asset
}

const read = (name: string): Buffer => readFileSync(new URL(`./assets/${name}`, import.meta.url))

function asset(stem: string, extension: string, type: string, body: Buffer): Asset {
  const hash = createHash('sha256').update(body).digest('base64url').slice(0, 16)
  return { name: `${stem}.${hash}.${extension}`, type, body, etag: `"${hash}"` }
}

/** Reads the files once and puts the theme before the style sheet. */
export function loadAssets(theme: CheckedTheme): PayAssets {
  const sheet = Buffer.concat([Buffer.from(themeRules(theme)), read('pay.css')])
  const style = asset('pay', 'css', 'text/css; charset=utf-8', sheet)
  const script = asset('pay', 'js', 'text/javascript; charset=utf-8', read('pay.js'))
  const icon = asset('icon', 'svg', 'image/svg+xml', read('icon.svg'))
  const { logo: image } = theme
  const logo = image && asset('logo', image.extension, image.type, Buffer.from(image.bytes))
  const all = [style, script, icon, ...(logo ? [logo] : [])]
  return {
    files: new Map(all.map((file) => [file.name, file])),
    page: {
      style: style.name,
      script: script.name,
      icon: icon.name,
      ...(logo ? { logo: logo.name } : {}),
    },
    embed: asset('embed', 'js', 'text/javascript; charset=utf-8', read('embed.js')),
  }
}
