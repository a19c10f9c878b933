import { eventFrame, type StreamWriter } from '../protocol.ts'

/**
 * Wraps `writer` for parts that need translation; native Messages parts pass through, with only the model name replaced
 * by `model`, the model that answered. A stream uses one form from start to end.
 */
export function passingOn(writer: StreamWriter, model: string): StreamWriter {
  let passing = false
  let named = false
  return {
    push(part) {
      const { messages } = part
      // Any internal parts that follow carry only usage, which this protocol has already sent or has no field for.
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
