import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Config } from '../config/settings.ts'
import type { Frames, PayTheme } from '../pay/index.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.svg': 'image/svg+xml',
}

/**
 * How the checkout page is dressed and who may frame it; undefined where there is none. What the values may be is judged
 * by the page itself, when it starts.
 * @throws EngineError CONFIG_VALUE_INVALID, CONFIG_FILE_UNREADABLE
 */
export function checkoutOf(
  config: Config,
): { readonly theme: PayTheme; readonly frames: Frames } | undefined {
  if (!config['checkout.enabled']) return undefined
  const name = config['checkout.name']
  const accent = config['checkout.accent']
  const radius = config['checkout.radius']
  const font = config['checkout.font']
  const file = config['checkout.logo_file']
  return {
    theme: {
      ...(name === undefined ? {} : { name }),
      ...(accent === undefined ? {} : { accent }),
      ...(radius === undefined ? {} : { radius }),
      ...(font === undefined ? {} : { font }),
      ...(file === undefined ? {} : { logo: logoOf(file) }),
    },
    frames: framesOf(config['checkout.frame_ancestors'] ?? []),
  }
}

function framesOf(list: readonly string[]): Frames {
  if (list.length !== 1) return list
  return list[0] === 'none' ? 'none' : list[0] === '*' ? 'any' : list
}

function logoOf(path: string): string {
  const details = { path, param: 'checkout.logo_file' }
  const extension = extname(path).toLowerCase()
  const type = Object.hasOwn(TYPES, extension) ? TYPES[extension] : undefined
  if (type === undefined)
    throw new EngineError('CONFIG_VALUE_INVALID', `${path} is no PNG, JPEG, WebP or SVG`, {
      details,
    })
  try {
    return `data:${type};base64,${readFileSync(path).toString('base64')}`
  } catch (error) {
    throw new EngineError('CONFIG_FILE_UNREADABLE', `${path} cannot be read`, {
      details,
      cause: error,
    })
  }
}
