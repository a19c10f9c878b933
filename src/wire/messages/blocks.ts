import type { MessagesBlock } from './schema.ts'
import { asObject, asString, compact, type JsonObject } from '../../json.ts'
import { wrongField } from '../read-body.ts'

/**
 * Converts a block of a Messages conversation to a part of a chat message. Where chat has no equivalent the model gets
 * the block's text, and the block itself is kept under `anthropic`, from which `blockFromPart` restores it unchanged.
 */
export function partFromBlock(block: MessagesBlock, path: string): JsonObject {
  switch (block.type) {
    case 'text':
      return textPart(block, path)
    case 'image':
      return imagePart(block, path)
    case 'document':
      return documentPart(block, path)
    default:
      return preserved(block, asString(block['text']) ?? JSON.stringify(block))
  }
}

/** Converts a part of a chat message to a Messages block; undefined for what Messages cannot represent. */
export function blockFromPart(part: JsonObject): JsonObject | undefined {
  const original = asObject(part['anthropic'])
  if (original !== undefined) return original
  const cache = compact({ cache_control: part['cache_control'] })
  switch (part['type']) {
    case 'image_url': {
      const url = asString(part['image_url']) ?? asString(asObject(part['image_url'])?.['url'])
      return url === undefined ? undefined : { type: 'image', source: sourceFromUrl(url), ...cache }
    }
    case 'file':
      return blockFromFile(asObject(part['file']) ?? {}, cache)
    case 'refusal':
      return textBlock(asString(part['refusal']), cache)
    default:
      return textBlock(asString(part['text']), cache)
  }
}

function textPart(block: MessagesBlock, path: string): JsonObject {
  const text = block['text']
  if (typeof text !== 'string') throw wrongField(`${path}.text`, 'a string')
  const { type, text: _, cache_control, ...rest } = block
  const extra = compact(rest)
  return compact({ type, text, cache_control, anthropic: Object.keys(extra).length === 0 ? undefined : block })
}

function imagePart(block: MessagesBlock, path: string): JsonObject {
  const source = asObject(block['source'])
  if (source === undefined) throw wrongField(`${path}.source`, 'an object')
  const url = urlOfSource(source, path)
  if (url === undefined) return preserved(block, '[an image that only the server it was uploaded to can read]')
  return compact({ type: 'image_url', image_url: { url }, cache_control: block['cache_control'] })
}

function documentPart(block: MessagesBlock, path: string): JsonObject {
  const source = asObject(block['source'])
  if (source === undefined) throw wrongField(`${path}.source`, 'an object')
  if (source['type'] === 'text') return preserved(block, documentText(block, asString(source['data']) ?? ''))
  if (source['type'] === 'content') return preserved(block, documentText(block, textOf(source['content'])))
  const url = urlOfSource(source, path)
  if (url === undefined)
    return preserved(block, documentText(block, '[a document that only the server it was uploaded to can read]'))
  const filename = asString(block['title']) ?? 'document.pdf'
  const hasMore = block['citations'] != null || block['context'] != null
  return compact({
    type: 'file',
    file: { filename, file_data: url },
    cache_control: block['cache_control'],
    anthropic: hasMore ? block : undefined,
  })
}

function preserved(block: MessagesBlock, text: string): JsonObject {
  return compact({ type: 'text', text, cache_control: block['cache_control'], anthropic: block })
}

function documentText(block: MessagesBlock, text: string): string {
  const title = asString(block['title'])
  return title === undefined ? text : `${title}\n\n${text}`
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map(item => asString(asObject(item)?.['text']) ?? '').join('\n')
}

/** The `data:` or web URL of a source; undefined for a file id. */
function urlOfSource(source: JsonObject, path: string): string | undefined {
  if (source['type'] === 'url') {
    if (typeof source['url'] !== 'string') throw wrongField(`${path}.source.url`, 'a string')
    return source['url']
  }
  if (source['type'] !== 'base64') return undefined
  if (typeof source['data'] !== 'string') throw wrongField(`${path}.source.data`, 'a string')
  return `data:${asString(source['media_type']) ?? 'application/octet-stream'};base64,${source['data']}`
}

function sourceFromUrl(url: string): JsonObject {
  const semicolon = url.startsWith('data:') ? url.indexOf(';base64,') : -1
  if (semicolon < 0) return { type: 'url', url }
  return {
    type: 'base64',
    media_type: url.slice('data:'.length, semicolon),
    data: url.slice(semicolon + ';base64,'.length),
  }
}

function blockFromFile(file: JsonObject, cache: JsonObject): JsonObject | undefined {
  const url = asString(file['file_data'])
  if (url === undefined) return undefined
  const filename = asString(file['filename'])
  const title = filename === 'document.pdf' ? undefined : filename
  return compact({ type: 'document', source: sourceFromUrl(url), title, ...cache })
}

/** Anthropic rejects empty text blocks. */
function textBlock(text: string | undefined, cache: JsonObject): JsonObject | undefined {
  return text === undefined || text === '' ? undefined : { type: 'text', text, ...cache }
}
