/** Texts of about a megabyte, each made to be slow for some scanner. */

const megabyte = 1_000_000

/** `unit` again and again, up to a megabyte. */
export function repeated(unit: string, length = megabyte): string {
  return unit.repeat(Math.ceil(length / unit.length)).slice(0, length)
}

const tool = 'weather'
const call = `{"name":"${tool}","arguments":{"city":"Oslo"}}`

/** What a model may answer to a request that offers the tool `weather`: nearly calls, of every dialect. */
export const answerTexts: Readonly<Record<string, string>> = {
  'an open brace again and again': repeated('{'),
  brackets: repeated('['),
  'calls that never end': `${call.slice(0, -1)}${repeated(',"a":{')}`,
  'a call of a megabyte of text': `{"name":"${tool}","arguments":{"city":"${repeated('x')}"}}`,
  'a call of a megabyte of commas': `<tool_call>{"name":"${tool}","arguments":{"city":[${repeated('1,')}]}}</tool_call>`,
  'single-quoted names': `<tool_call>{'name':'${tool}','arguments':{'a':${repeated("'b','")}`,
  'unquoted words': `<tool_call>{"name":"${tool}","arguments":${repeated('True ')}}</tool_call>`,
  'commas and spaces': `<tool_call>{"name":"${tool}","arguments":[${repeated(`,${' '.repeat(900)}x`)}]}</tool_call>`,
  'opening tags': repeated('<tool_call>'),
  'opening tags with a brace': repeated('<tool_call>{'),
  'opening tags with a name': repeated(`<tool_call>{"name":"${tool}"`),
  'functions that never close': repeated('<function=weather>'),
  'parameters that never close': `<tool_call><function=weather>${repeated('<parameter=city>')}`,
  'parameters that close': `<tool_call><function=weather>${repeated('<parameter=a>b</parameter>')}`,
  'python tags': repeated('<|python_tag|>'),
  'whole calls': repeated(`<tool_call>${call}</tool_call>`),
  'calls in a list': `[TOOL_CALLS][${repeated(`${call},`)}`,
  'marks of calls': repeated('[TOOL_CALLS]'),
  'names of calls': repeated('[TOOL_CALLS]weather[ARGS]{'),
  'tags of reasoning': repeated('<think>'),
  'closing tags of reasoning': `<think>${repeated('</think')}`,
  'half a tag': repeated('<tool_cal'),
  'unmarked objects': repeated(`${call}\n`),
  fences: repeated('```json\n{'),
  spaces: repeated(' '),
  'line breaks': repeated('\n'),
  backslashes: `<tool_call>{"name":"${tool}","arguments":{"a":"${repeated('\\')}`,
  quotes: `<tool_call>{"name":"${tool}","arguments":{${repeated('"')}`,
  'commas of a call': `{"name":"${tool}","parameters":{${repeated('"a":1,')}}}`,
  surrogates: repeated('\ud83d'),
  channels: repeated('<|channel|>commentary to=functions.weather <|message|>{'),
}

/** What a caller may ask. */
export const promptTexts: Readonly<Record<string, string>> = {
  'ordinary words': repeated('The quick brown fox jumps over the lazy dog. '),
  'one letter': repeated('a'),
  'one letter and a space': repeated('a '),
  spaces: repeated(' '),
  'line breaks': repeated('\n'),
  digits: repeated('0123456789'),
  emoji: repeated('👩‍👩‍👧‍👦'),
  Chinese: repeated('人工智能语言模型'),
  'combining marks': repeated('é̂'),
  punctuation: repeated('!?.,;:-()[]{}'),
  surrogates: repeated('\ud83d'),
  'capital letters': repeated('ABCD'),
  'mixed case': repeated('aBcDeF'),
  fences: repeated('```'),
  JSON: repeated('{"a":[1,2,{"b":"c"}]},'),
  base64: repeated('TWFuIGlzIGRpc3Rpbmd1aXNoZWQ'),
  apostrophes: repeated("'s't'll"),
  'null characters': repeated('\0'),
  Thai: repeated('ปัญญาประดิษฐ์'),
}
