import type { ChatMessage, ChatRequest } from '../wire/chat/schema.ts'

type Part = { type?: string | undefined; [field: string]: unknown }

/**
 * Moves images in tool results, such as screenshots, into a user message after those results: in OpenAI's protocol only user
 * messages can have images. Returns the same object if there are none.
 */
export function withImagesBehindResults(request: ChatRequest): ChatRequest {
  if (!request.messages.some(message => imagesOf(message).length > 0)) return request
  const messages: ChatMessage[] = []
  let shown: Part[] = []
  // Nothing may come between the results of parallel calls, so images follow the last of them.
  const show = () => {
    if (shown.length > 0) messages.push({ role: 'user', content: shown })
    shown = []
  }
  for (const message of request.messages) {
    if (message.role !== 'tool') show()
    const images = imagesOf(message)
    messages.push(images.length === 0 ? message : withoutImages(message))
    if (images.length === 0) continue
    shown.push({ type: 'text', text: `Images from tool call ${String(message['tool_call_id'])}:` }, ...images)
  }
  show()
  return { ...request, messages }
}

function imagesOf({ role, content }: ChatMessage): Part[] {
  return role === 'tool' && Array.isArray(content) ? content.filter(isImage) : []
}

function withoutImages(message: ChatMessage): ChatMessage {
  const rest = (message.content as Part[]).filter(part => !isImage(part))
  return { ...message, content: rest.length > 0 ? rest : 'The image is in the next user message.' }
}

function isImage({ type }: Part): boolean {
  return type === 'image_url'
}
