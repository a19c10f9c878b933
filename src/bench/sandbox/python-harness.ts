/**
 * Prepares Python before any generated code runs. It defines functions in `__main__` for the cell: `close` removes access to
 * JavaScript, `prepare` compiles a program, `query` runs SQL. The program itself is run from outside (see
 * `python-objects.ts`).
 */
export const harness = `
def make():
    import abc, ast, base64, bisect, builtins, collections, contextlib, copy, csv, dataclasses, datetime, decimal, enum
    import fractions, functools, gc, hashlib, heapq, io, itertools, json, math, operator, os, random, re, sqlite3
    import statistics, string, sys, textwrap, time, types, typing, unicodedata, unittest, uuid

    def close():
        os.environ.clear()
        os.chdir('/tmp')
        random.seed(7)
        sys.meta_path[:] = [f for f in sys.meta_path if 'pyodide' not in getattr(f, '__module__', '')]
        sys.displayhook, sys.excepthook = sys.__displayhook__, sys.__excepthook__
        outward = ['js', 'ctypes', '_ctypes', 'socket', '_socket', 'ssl', 'subprocess', '_posixsubprocess']
        outward += ['multiprocessing', *(name for name in sys.modules if 'pyodide' in name)]
        for name in outward:
            module = sys.modules.get(name)
            # Emptied, because its classes and functions can be found without its name.
            if isinstance(module, types.ModuleType):
                vars(module).clear()
            sys.modules[name] = None
        # The import system keeps these to create a module again.
        for kept in gc.get_objects():
            if type(kept) is dict and 'to_js' in kept:
                kept.clear()
        gc.collect()
        gc.freeze()

    Expression, Expr = ast.Expression, ast.Expr

    def prepare(text):
        request = json.loads(text)
        # Dataclasses and enums look their module up by name, so the code gets a real one.
        solution = types.ModuleType('solution')
        solution.__builtins__ = vars(builtins)
        sys.modules['solution'] = solution
        return (vars(solution), compile(request['source'], 'solution.py', 'exec'), *map(case, request['cases']))

    def case(code):
        tree = ast.parse(code)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], Expr) else None
        value = None if last is None else compile(Expression(last.value), 'case.py', 'eval')
        return (compile(tree, 'case.py', 'exec'), value)

    # An authorizer sees each statement as it is compiled, so that nothing depends on reading SQL ourselves.
    refused = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA}

    def query(text):
        request = json.loads(text)
        database = sqlite3.connect(':memory:', isolation_level=None)
        database.executescript(request['setup'])
        database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        database.execute('PRAGMA hard_heap_limit = 67108864')
        database.execute('PRAGMA max_page_count = 8192')
        # Running Python periodically lets the interrupt through, and an exception here ends the statement.
        database.set_progress_handler(lambda: False, 2000)
        database.set_authorizer(lambda action, *rest: sqlite3.SQLITE_DENY if action in refused else sqlite3.SQLITE_OK)
        rows = []
        for statement in statements(request['source']):
            rows = database.execute(statement).fetchmany(10000)
        if request.get('inspect'):
            rows = database.execute(request['inspect']).fetchmany(10000)
        return rows

    def statements(source):
        start = 0
        for end, letter in enumerate(source):
            if letter == ';' and sqlite3.complete_statement(source[start:end + 1]):
                yield source[start:end + 1]
                start = end + 1
        if source[start:].strip():
            yield source[start:]

    globals().update(close=close, prepare=prepare, query=query)

make()
del make
`
