import { eventFrame, type StreamWriter } from '../protocol.ts'

/**
 * `writer` for parts that need a translation; parts that are Messages already pass as they are, and only the model's name
 * becomes `model`, which is who answered. A stream comes in one form from its beginning to its end.
 */
export function passingOn(writer: StreamWriter, model: string): StreamWriter {
  let passing = false
  let named = false
  return {
    push(part) {
      const { messages } = part
      // What follows in our own form is a usage that this protocol has told, or has no place for any more.
      if (messages === undefined) return passing ? nothing : writer.push(part)
      passing = true
      if (named || !messages.includes('"message_start"')) return messages
      named = true
      return Buffer.from(messages.toString('utf8').replace(modelField, (_, field) => field + JSON.stringify(model)))
    },
    end: usage => (passing ? nothing : writer.end(usage)),
    fail: error => writer.fail(error),
    keepAlive: () => (passing ? Buffer.from(eventFrame({ type: 'ping' })) : writer.keepAlive()),
  }
}

const nothing = Buffer.alloc(0)
const modelField = /("model"\s*:\s*)"(?:[^"\\]|\\.)*"/
