/** One conversation of an agent with its tools, as each protocol writes it. */
export interface SampleConversation {
  /** The body of a request, by the protocol's name. */
  bodies: Readonly<Record<string, object>>
}

/**
 * A conversation of `turns` rounds: the model thinks, says a line, calls a tool and reads `resultCharacters` letters of its
 * result, with as many tools and as long a prompt as coding agents have.
 */
export function conversation(turns: number, resultCharacters: number): SampleConversation {
  const result = (turn: number) => text(`result ${turn}`, resultCharacters)
  const round = Array.from({ length: turns }, (_, turn) => turn)
  const prompt = text('You are an agent', 20_000)
  const tools = Array.from({ length: 24 }, (_, index) => ({
    name: `tool_${index}`,
    description: text(`What tool ${index} does`, 1_200),
    schema: {
      type: 'object',
      properties: Object.fromEntries(
        Array.from({ length: 6 }, (_, field) => [
          `field_${field}`,
          { type: 'string', description: text('A field', 80) },
        ]),
      ),
      required: ['field_0'],
      additionalProperties: false,
    },
  }))
  const input = (turn: number) => ({ field_0: `src/file-${turn}.ts`, field_1: text('pattern', 60) })
  const cache_control = { type: 'ephemeral' }
  const ask = 'Find out why the build fails.'

  const messages = {
    model: 'claude-sonnet',
    max_tokens: 32_000,
    stream: true,
    thinking: { type: 'adaptive' },
    system: [
      { type: 'text', text: 'x-anthropic-billing-header: cc_version=0; cch=12345;' },
      { type: 'text', text: prompt, cache_control },
    ],
    tools: tools.map(({ name, description, schema }) => ({ name, description, input_schema: schema })),
    messages: [
      { role: 'user', content: [{ type: 'text', text: ask }] },
      ...round.flatMap(turn => [
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: text('I wonder', 300), signature: 'c2lnbmF0dXJl'.repeat(20) },
            { type: 'text', text: 'I look.' },
            { type: 'tool_use', id: `call_${turn}`, name: 'tool_3', input: input(turn) },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: `call_${turn}`,
              content: [{ type: 'text', text: result(turn) }],
              ...(turn === turns - 1 ? { cache_control } : {}),
            },
          ],
        },
      ]),
    ],
  }
  const responses = {
    model: 'gpt-codex',
    stream: true,
    store: false,
    include: ['reasoning.encrypted_content'],
    instructions: prompt,
    tools: tools.map(({ name, description, schema }) => ({ type: 'function', name, description, parameters: schema })),
    input: [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: ask }] },
      ...round.flatMap(turn => [
        {
          type: 'reasoning',
          id: `rs_${turn}`,
          summary: [{ type: 'summary_text', text: text('I wonder', 300) }],
          encrypted_content: 'ZW5jcnlwdGVk'.repeat(20),
        },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I look.' }] },
        { type: 'function_call', call_id: `call_${turn}`, name: 'tool_3', arguments: JSON.stringify(input(turn)) },
        { type: 'function_call_output', call_id: `call_${turn}`, output: result(turn) },
      ]),
    ],
  }
  const chat = {
    model: 'auto',
    stream: true,
    tools: tools.map(({ name, description, schema }) => ({
      type: 'function',
      function: { name, description, parameters: schema },
    })),
    messages: [
      { role: 'system', content: prompt },
      { role: 'user', content: ask },
      ...round.flatMap(turn => [
        {
          role: 'assistant',
          content: 'I look.',
          reasoning_content: text('I wonder', 300),
          tool_calls: [
            {
              id: `call_${turn}`,
              type: 'function',
              function: { name: 'tool_3', arguments: JSON.stringify(input(turn)) },
            },
          ],
        },
        { role: 'tool', tool_call_id: `call_${turn}`, content: result(turn) },
      ]),
    ],
  }
  return { bodies: { messages, responses, chat } }
}

const words =
  'const value = await read(path) // the next line follows\n  return { "key": [1, 2.5, true], name: `ünïcode` }\n'

function text(beginning: string, characters: number): string {
  return `${beginning} ${words.repeat(Math.ceil(characters / words.length))}`.slice(0, characters)
}
