/** What the engine needs to know about a language: how to recognize it, its comments, and the lines that define a name. */
export interface Language {
  name: string
  /** Lower case, without the dot. */
  extensions: readonly string[]
  /** Lower-case names of files without a distinctive extension. */
  fileNames?: readonly string[]
  /** What starts a comment that runs to the end of its line. */
  lineComments?: readonly string[]
  /** Pairs that open and close a comment that may span lines. */
  blockComments?: readonly (readonly [open: string, close: string])[]
  /**
   * Matches the start of each definition, one line each. Its captures, joined with a dot, are the name.
   * Every quantifier over free text is bounded, so that no line can make it slow.
   */
  definitions?: RegExp
  /** Prose, data and configuration are searched like code, but are rarely the answer to a question about code. */
  kind?: 'code' | 'prose' | 'data'
}

const slashes = { lineComments: ['//'], blockComments: [['/*', '*/']] } as const
const hash = { lineComments: ['#'] } as const

export const languages: readonly Language[] = [
  {
    name: 'typescript',
    extensions: ['ts', 'tsx', 'mts', 'cts'],
    ...slashes,
    definitions: scriptDefinitions(),
  },
  {
    name: 'javascript',
    extensions: ['js', 'jsx', 'mjs', 'cjs'],
    ...slashes,
    definitions: scriptDefinitions(),
  },
  { name: 'vue', extensions: ['vue', 'svelte', 'astro'], ...slashes, definitions: scriptDefinitions() },
  {
    name: 'python',
    extensions: ['py', 'pyi', 'pyx'],
    ...hash,
    blockComments: [['"""', '"""']],
    definitions: anyOf(
      /[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)/,
      /([A-Za-z_]\w*)[ \t]*(?::[^=\n]{1,80})?=(?!=)/,
    ),
  },
  {
    name: 'go',
    extensions: ['go'],
    ...slashes,
    definitions: anyOf(
      /func[ \t]+\([^)\n]{0,80}?\*?(\w+)(?:\[[^\]\n]{0,80}\])?\)[ \t]*(\w+)/,
      /func[ \t]+(\w+)/,
      /type[ \t]+(\w+)/,
      /\t(\w+)[ \t]+(?:struct|interface)[ \t]*\{/,
      /(?:var|const)[ \t]+(\w+)/,
      /\t+t\.Run\("([^"\n]{1,120})"/,
    ),
  },
  {
    name: 'rust',
    extensions: ['rs'],
    ...slashes,
    definitions: anyOf(
      /[ \t]*(?:pub(?:\([^)\n]{1,40}\))?[ \t]+)?(?:default[ \t]+)?(?:const[ \t]+)?(?:async[ \t]+)?(?:unsafe[ \t]+)?(?:extern[ \t]+"[^"\n]{0,20}"[ \t]+)?(?:fn|struct|enum|trait|union|mod|type|static|const|macro_rules!)[ \t]+(?:mut[ \t]+)?(\w+)/,
      /[ \t]*(?:unsafe[ \t]+)?impl(?:<[^\n{]{1,160}?>)?[ \t]+(?:[^\n{]{1,160}?[ \t]for[ \t]+)?&?([\w:]+)/,
    ),
  },
  {
    name: 'java',
    extensions: ['java'],
    ...slashes,
    definitions: anyOf(
      /[ \t]*(?:(?:public|private|protected|static|final|abstract|sealed|non-sealed|strictfp)[ \t]+){0,6}(?:class|interface|enum|record|@interface)[ \t]+(\w+)/,
      memberDefinition('public|private|protected|static|final|abstract|synchronized|native|default'),
    ),
  },
  {
    name: 'kotlin',
    extensions: ['kt', 'kts'],
    ...slashes,
    definitions: anyOf(
      /[ \t]*(?:(?:public|private|protected|internal|open|abstract|sealed|data|inner|enum|annotation|value|inline|override|suspend|operator|infix|tailrec|external|const|lateinit|companion|actual|expect)[ \t]+){0,8}(?:class|interface|object|typealias|fun[ \t]+interface)[ \t]+(\w+)/,
      /[ \t]*(?:(?:public|private|protected|internal|open|abstract|inline|override|suspend|operator|infix|tailrec|external|actual|expect)[ \t]+){0,8}fun[ \t]+(?:<[^>\n]{1,80}>[ \t]*)?(?:[\w<>?,]{1,80}\.)?`?(\w+)/,
      /(?:(?:public|private|internal|const|lateinit)[ \t]+){0,3}va[lr][ \t]+(\w+)/,
    ),
  },
  {
    name: 'c',
    extensions: ['c', 'h', 'm'],
    ...slashes,
    definitions: cDefinitions(),
  },
  {
    name: 'cpp',
    extensions: ['cc', 'cpp', 'cxx', 'hpp', 'hh', 'hxx', 'ipp', 'inl', 'cu', 'cuh', 'mm', 'ino'],
    ...slashes,
    definitions: cDefinitions(),
  },
  {
    name: 'csharp',
    extensions: ['cs'],
    ...slashes,
    definitions: anyOf(
      /[ \t]*(?:(?:public|private|protected|internal|static|sealed|abstract|partial|readonly|ref|file|new|unsafe)[ \t]+){0,6}(?:class|interface|enum|struct|record(?:[ \t]+(?:class|struct))?|namespace|delegate[ \t]+[\w<>?]{1,60})[ \t]+([\w.]+)/,
      memberDefinition(
        'public|private|protected|internal|static|sealed|abstract|virtual|override|async|extern|partial|readonly|unsafe|new',
      ),
    ),
  },
  {
    name: 'php',
    extensions: ['php', 'phtml'],
    lineComments: ['//', '#'],
    blockComments: [['/*', '*/']],
    definitions: anyOf(
      /[ \t]*(?:(?:public|private|protected|static|final|abstract|readonly)[ \t]+){0,5}(?:function[ \t]+&?|class[ \t]+|interface[ \t]+|trait[ \t]+|enum[ \t]+)(\w+)/,
    ),
  },
  {
    name: 'ruby',
    extensions: ['rb', 'rake', 'gemspec', 'ru'],
    fileNames: ['rakefile', 'gemfile', 'guardfile', 'vagrantfile'],
    ...hash,
    blockComments: [['=begin', '=end']],
    definitions: anyOf(
      /[ \t]*def[ \t]+(?:self\.)?([\w?!=]+)/,
      /[ \t]*(?:class|module)[ \t]+([\w:]+)/,
      /[ \t]*(?:should|context|describe|it|test|specify|Given|When|Then)[ \t(]+["'/]([^"'\n]{1,120})/,
      /[ \t]*([A-Z][A-Z0-9_]+)[ \t]*=/,
    ),
  },
  {
    name: 'swift',
    extensions: ['swift'],
    ...slashes,
    definitions: anyOf(
      /[ \t]*(?:@\w+[ \t]+)?(?:(?:public|private|fileprivate|internal|open|static|final|class|override|mutating|nonmutating|convenience|required|indirect|async|nonisolated)[ \t]+){0,6}(?:func|class|struct|enum|protocol|extension|actor|typealias)[ \t]+([\w.]+)/,
      /[ \t]*(?:(?:public|private|internal|convenience|required|override)[ \t]+){0,4}(init)[?!]?[ \t]*[(<]/,
    ),
  },
  {
    name: 'scala',
    extensions: ['scala', 'sc', 'sbt'],
    ...slashes,
    definitions: anyOf(
      /[ \t]*(?:(?:private|protected|override|final|implicit|lazy|sealed|abstract|case|inline|given|open|transparent)(?:\[\w+\])?[ \t]+){0,6}(?:def|class|object|trait|enum|type)[ \t]+(\w+)/,
      /[ \t]{0,2}(?:(?:private|implicit|lazy|final)[ \t]+){0,3}va[lr][ \t]+(\w+)/,
    ),
  },
  {
    name: 'shell',
    extensions: ['sh', 'bash', 'zsh', 'ksh', 'fish', 'bats'],
    ...hash,
    definitions: anyOf(
      /[ \t]*(?:function[ \t]+)([\w:.-]+)/,
      /[ \t]*([\w:.-]+)[ \t]*\(\)/,
      /(?:export[ \t]+|readonly[ \t]+)?([A-Z_][A-Z0-9_]+)=/,
    ),
  },
  {
    name: 'powershell',
    extensions: ['ps1', 'psm1'],
    ...hash,
    blockComments: [['<#', '#>']],
    definitions: anyOf(/[ \t]*(?:function|filter|class|enum)[ \t]+([\w:-]+)/i),
  },
  {
    name: 'sql',
    extensions: ['sql', 'psql', 'pgsql', 'plsql', 'ddl'],
    lineComments: ['--'],
    blockComments: [['/*', '*/']],
    definitions: anyOf(
      /[ \t]*create[ \t]+(?:or[ \t]+replace[ \t]+)?(?:(?:unique|temp|temporary|materialized|global|local|unlogged|virtual)[ \t]+){0,3}(?:table|view|index|function|procedure|trigger|type|schema|sequence|database|role|policy|extension)[ \t]+(?:concurrently[ \t]+)?(?:if[ \t]+not[ \t]+exists[ \t]+)?["`[]?([\w."`[\]]{1,120})/i,
      /[ \t]*alter[ \t]+table[ \t]+(?:only[ \t]+)?(?:if[ \t]+exists[ \t]+)?["`[]?([\w."`[\]]{1,120})/i,
    ),
  },
  {
    name: 'lua',
    extensions: ['lua'],
    lineComments: ['--'],
    blockComments: [['--[[', ']]']],
    definitions: anyOf(
      /[ \t]*(?:local[ \t]+)?function[ \t]+([\w.:]+)/,
      /[ \t]*(?:local[ \t]+)?([\w.]+)[ \t]*=[ \t]*function/,
    ),
  },
  {
    name: 'dart',
    extensions: ['dart'],
    ...slashes,
    definitions: anyOf(
      /[ \t]*(?:abstract[ \t]+|sealed[ \t]+|final[ \t]+|base[ \t]+)*(?:class|mixin|enum|extension|typedef)[ \t]+(\w+)/,
      memberDefinition('static|final|const|external|abstract|late|covariant'),
    ),
  },
  {
    name: 'elixir',
    extensions: ['ex', 'exs'],
    ...hash,
    definitions: anyOf(/[ \t]*(?:def|defp|defmodule|defmacro|defstruct|defprotocol|defimpl)[ \t]+([\w.?!]+)/),
  },
  {
    name: 'zig',
    extensions: ['zig'],
    lineComments: ['//'],
    definitions: anyOf(
      /[ \t]*(?:pub[ \t]+)?(?:export[ \t]+)?(?:inline[ \t]+)?fn[ \t]+(\w+)/,
      /(?:pub[ \t]+)?(?:const|var)[ \t]+(\w+)/,
    ),
  },
  {
    name: 'protobuf',
    extensions: ['proto'],
    ...slashes,
    definitions: anyOf(/[ \t]*(?:message|service|enum|rpc)[ \t]+(\w+)/),
  },
  {
    name: 'graphql',
    extensions: ['graphql', 'gql'],
    ...hash,
    definitions: anyOf(/[ \t]*(?:type|input|enum|interface|union|scalar|query|mutation|fragment)[ \t]+(\w+)/),
  },
  {
    name: 'terraform',
    extensions: ['tf', 'hcl'],
    ...hash,
    definitions: anyOf(/(?:resource|data|module|variable|output|provider)[ \t]+"([\w-]+)"(?:[ \t]+"([\w-]+)")?/),
  },
  {
    name: 'css',
    extensions: ['css', 'scss', 'sass', 'less'],
    ...slashes,
    definitions: anyOf(/([.#@][\w-]+)[^{;\n]{0,120}\{/),
  },
  { name: 'perl', extensions: ['pl', 'pm'], ...hash, definitions: anyOf(/[ \t]*(?:sub|package)[ \t]+([\w:]+)/) },
  {
    name: 'r',
    extensions: ['r'],
    ...hash,
    definitions: anyOf(/[ \t]*([\w.]+)[ \t]*(?:<-|=)[ \t]*function/),
  },
  {
    name: 'haskell',
    extensions: ['hs'],
    lineComments: ['--'],
    definitions: anyOf(/([a-z]\w*)[ \t]+::/, /(?:data|newtype|type|class|instance)[ \t]+(\w+)/),
  },
  {
    name: 'makefile',
    extensions: ['mk', 'mak'],
    fileNames: ['makefile', 'gnumakefile'],
    ...hash,
    definitions: anyOf(/([\w./-]+)[ \t]*:(?!=)/),
    kind: 'data',
  },
  {
    name: 'cmake',
    extensions: ['cmake'],
    fileNames: ['cmakelists.txt'],
    ...hash,
    definitions: anyOf(/[ \t]*(?:function|macro)[ \t]*\([ \t]*(\w+)/i),
    kind: 'data',
  },
  { name: 'dockerfile', extensions: ['dockerfile'], fileNames: ['dockerfile', 'containerfile'], ...hash, kind: 'data' },
  {
    name: 'markdown',
    extensions: ['md', 'mdx', 'markdown', 'rst', 'adoc'],
    definitions: anyOf(/#{1,6}[ \t]+([^\n]{1,120})/),
    kind: 'prose',
  },
  { name: 'text', extensions: ['txt', 'text', 'org', 'tex', 'feature', 'po'], kind: 'prose' },
  {
    name: 'html',
    extensions: ['html', 'htm', 'erb', 'ejs', 'hbs', 'liquid', 'xhtml', 'jinja', 'j2'],
    blockComments: [['<!--', '-->']],
    kind: 'data',
  },
  { name: 'json', extensions: ['json', 'jsonc', 'json5', 'jsonl', 'ndjson', 'ipynb'], kind: 'data' },
  { name: 'yaml', extensions: ['yaml', 'yml'], ...hash, definitions: anyOf(/([\w-]+):/), kind: 'data' },
  {
    name: 'toml',
    extensions: ['toml', 'ini', 'cfg', 'conf', 'properties', 'env'],
    ...hash,
    definitions: anyOf(/\[([^\]\n]{1,80})\]/),
    kind: 'data',
  },
  {
    name: 'xml',
    extensions: ['xml', 'xsd', 'xsl', 'svg', 'csproj', 'plist', 'storyboard', 'xib'],
    blockComments: [['<!--', '-->']],
    kind: 'data',
  },
  { name: 'csv', extensions: ['csv', 'tsv'], kind: 'data' },
]

/** A file of no known language: searched as words, chunked by lines. */
export const unknownLanguage: Language = { name: 'other', extensions: [], kind: 'data' }

const byExtension = new Map(languages.flatMap(language => language.extensions.map(extension => [extension, language])))
const byFileName = new Map(languages.flatMap(language => (language.fileNames ?? []).map(name => [name, language])))

/** The language of a file by its name. `firstLine` decides for scripts without an extension. */
export function languageOf(path: string, firstLine = ''): Language {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const dot = name.lastIndexOf('.')
  const known =
    byFileName.get(name) ?? (dot >= 0 ? byExtension.get(name.slice(dot + 1)) : byFileName.get(name.split('.')[0] ?? ''))
  return known ?? languageOfShebang(firstLine) ?? unknownLanguage
}

/** The language for a name or extension, as typed after `lang:`. */
export function languageNames(alias: string): readonly string[] {
  const wanted = alias.toLowerCase()
  const also: Record<string, string> = {
    'c++': 'cpp',
    'c#': 'csharp',
    golang: 'go',
    bash: 'shell',
    docker: 'dockerfile',
  }
  const name = also[wanted] ?? wanted
  return languages
    .filter(language => language.name === name || language.extensions.includes(name))
    .map(each => each.name)
}

function languageOfShebang(firstLine: string): Language | undefined {
  if (!firstLine.startsWith('#!')) return undefined
  const program = /(?:^#!|[/ ])(node|deno|bun|python|ruby|perl|php|bash|zsh|ksh|fish|sh|lua)[\d.]*(?:\s|$)/.exec(
    firstLine,
  )?.[1]
  const extension: Record<string, string> = { node: 'js', deno: 'ts', bun: 'ts', python: 'py', ruby: 'rb', perl: 'pl' }
  return program === undefined ? undefined : byExtension.get(extension[program] ?? program)
}

function anyOf(...forms: readonly RegExp[]): RegExp {
  const flags = forms.some(form => form.flags.includes('i')) ? 'gmi' : 'gm'
  return new RegExp(`^(?:${forms.map(form => form.source).join('|')})`, flags)
}

function scriptDefinitions(): RegExp {
  return anyOf(
    /[ \t]*(?:export[ \t]+)?(?:default[ \t]+)?(?:declare[ \t]+)?(?:abstract[ \t]+)?(?:async[ \t]+)?(?:function[ \t]*\*?[ \t]*|class[ \t]+|interface[ \t]+|(?:const[ \t]+)?enum[ \t]+|namespace[ \t]+|module[ \t]+|type[ \t]+)([\w$]+)/,
    /(?:export[ \t]+)?(?:declare[ \t]+)?(?:const|let|var)[ \t]+([\w$]+)/,
    /[ \t]+(?:const|let|var)[ \t]+([\w$]+)[^=\n]{0,120}=[ \t]*(?:async[ \t]*)?(?:function\b|\([^)\n]{0,120}\)[^=\n]{0,80}=>|[\w$]+[ \t]*=>)/,
    /[ \t]+(?:(?:public|private|protected|static|async|override|readonly|get|set|abstract)[ \t]+){0,5}\*?(?!(?:if|for|while|switch|catch|return|function|with|await|do|else|new|typeof|super|describe|it|test)\b)#?([\w$]+)(?:<[^>\n]{0,80}>)?\([^;\n]{0,200}\{[ \t]*$/,
    /[ \t]+([\w$]+)[ \t]*[:=][ \t]*(?:async[ \t]+)?(?:function\b|\([^)\n]{0,120}\)[^=\n]{0,80}=>)/,
    /(?:[\w$]{1,60}\.){1,4}([\w$]+)[ \t]*=[ \t]*(?:async[ \t]+)?(?:function\b|\([^)\n]{0,120}\)[ \t]*=>|[\w$]+[ \t]*=>)/,
    /[ \t]*(?:t\.)?(?:test|it|describe|suite|bench)(?:\.\w{1,12})?\([ \t]*['"`]([^'"`\n]{1,120})/,
  )
}

function cDefinitions(): RegExp {
  return anyOf(
    /[ \t]*(?:typedef[ \t]+)?(?:template[ \t]*<[^\n]{0,80}>[ \t]*)?(?:struct|class|enum(?:[ \t]+class)?|union|namespace|@interface|@implementation|@protocol)[ \t]+(?:[A-Z_]{2,40}[ \t]+)?(\w+)[^;\n]{0,160}$/,
    /#[ \t]*define[ \t]+(\w+)/,
    /(?!(?:else|return|if|for|while|switch|typedef|using|case)\b)[A-Za-z_][^;{}()\n=#]{0,120}?[ \t*&]((?:\w{1,60}::){0,3}~?\w+)[ \t]*\([^;\n]{0,240}$/,
    /((?:\w{1,60}::){1,3}~?\w+)[ \t]*\([^;\n]{0,240}$/,
    /[ \t]+(?:(?:static|inline|virtual|constexpr|explicit|friend)[ \t]+){0,3}(?!(?:else|return|if|for|while|switch|case|new|delete|throw)\b)[\w:<>,*&]{1,60}[ \t*&]{1,4}(\w+)\([^;\n]{0,240}\{[ \t]*$/,
    /[-+][ \t]*\([^)\n]{1,60}\)[ \t]*(\w+)/,
    /using[ \t]+(\w+)[ \t]*=/,
  )
}

/** A method, constructor or property of a brace language: modifiers, a type, a name, then a body or an arrow. */
function memberDefinition(modifiers: string): RegExp {
  return new RegExp(
    `[ \\t]+(?:@\\w+[ \\t]+)?(?:(?:${modifiers})[ \\t]+){0,6}(?:<[^>\\n]{1,80}>[ \\t]*)?(?!(?:return|new|throw|else|await|yield|case)\\b)(?:[\\w.]{1,60}(?:<[^\\n(){};=]{0,80}>)?(?:\\[\\])?\\??[ \\t]+)?(?!(?:if|for|while|switch|catch|using|lock|foreach|synchronized|try|return|super|this)\\b)(\\w+)[ \\t]*(?:<[^>\\n]{1,40}>)?(?:\\([^;\\n]{0,240}|\\{[ \\t]*(?:get|set|init)\\b[^\\n]{0,120})$`,
  )
}
