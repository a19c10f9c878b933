/**
 * What runs around generated Python, in Python. It keeps the functions it needs in closures, shuts the ways back to
 * JavaScript, and puts every module and builtin back after each program, so that one answer cannot spoil the next.
 */
export const harness = `
def make():
    import abc, ast, base64, bisect, builtins, collections, contextlib, copy, csv, dataclasses, datetime, decimal, enum
    import fractions, functools, hashlib, heapq, io, itertools, json, math, operator, os, random, re, sqlite3, statistics
    import string, sys, textwrap, time, types, typing, unicodedata, uuid

    os.environ.clear()
    os.chdir('/tmp')
    for finder in sys.meta_path:
        getattr(finder, 'jsproxies', {}).clear()
    sys.meta_path[:] = [f for f in sys.meta_path if not hasattr(f, 'jsproxies')]
    closed = ['js', 'ctypes', '_ctypes', 'socket', '_socket', 'ssl', 'subprocess', '_posixsubprocess', 'multiprocessing']
    closed += [name for name in sys.modules if 'pyodide' in name]
    for name in closed:
        sys.modules[name] = None

    dumps, loads, compiled, run, evaluate = json.dumps, json.loads, builtins.compile, exec, eval
    parse, Expression, Expr, Module = ast.parse, ast.Expression, ast.Expr, ast.Module
    modules = dict(sys.modules)
    contents = {name: dict(vars(module)) for name, module in modules.items() if module is not None}
    recursion = sys.getrecursionlimit()
    sqlite_limit_attached = sqlite3.SQLITE_LIMIT_ATTACHED

    late = 'TimeoutError: the code ran out of time'

    def restore():
        sys.modules.clear()
        sys.modules.update(modules)
        for name, saved in contents.items():
            current = vars(modules[name])
            current.clear()
            current.update(saved)
        sys.setrecursionlimit(recursion)
        random.seed(7)
        for folder, folders, files in os.walk('/tmp', topdown=False):
            for name in files:
                os.remove(os.path.join(folder, name))
            for name in folders:
                os.rmdir(os.path.join(folder, name))

    def describe(error):
        return f'{type(error).__name__}: {error}'

    def plain(value):
        if isinstance(value, (set, frozenset)):
            return sorted(value)
        if isinstance(value, (collections.deque, range, bytes, bytearray)) or isinstance(value, collections.abc.Iterator):
            return list(itertools.islice(value, 100000))
        if dataclasses.is_dataclass(value):
            return dataclasses.asdict(value)
        raise TypeError(f'{type(value).__name__} is not plain data')

    def case(code, scope):
        tree = parse(code)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], Expr) else None
        run(compiled(tree, 'case.py', 'exec'), scope)
        return None if last is None else evaluate(compiled(Expression(last.value), 'case.py', 'eval'), scope)

    def python(request):
        # Dataclasses and enums look their module up by name, so the code gets a real one.
        solution = types.ModuleType('solution')
        sys.modules['solution'] = solution
        scope = vars(solution)
        outcomes = []
        try:
            run(compiled(request['source'], 'solution.py', 'exec'), scope)
        except KeyboardInterrupt:
            return {'outcomes': [], 'failure': late}
        except BaseException as error:
            return {'outcomes': [], 'failure': describe(error)}
        for code in request['cases']:
            try:
                outcomes.append({'json': dumps(case(code, scope), default=plain, allow_nan=False)})
            except KeyboardInterrupt:
                return {'outcomes': [], 'failure': late}
            except BaseException as error:
                outcomes.append({'error': describe(error)})
        return {'outcomes': outcomes}

    # An authorizer sees each statement as it is compiled, so that nothing depends on reading SQL ourselves.
    refused = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA}

    def sql(request):
        database = sqlite3.connect(':memory:', isolation_level=None)
        database.executescript(request['setup'])
        database.setlimit(sqlite_limit_attached, 0)
        database.execute('PRAGMA hard_heap_limit = 67108864')
        database.execute('PRAGMA max_page_count = 8192')
        # Running Python now and then lets the interrupt through, and an exception here ends the statement.
        database.set_progress_handler(lambda: False, 2000)
        database.set_authorizer(lambda action, *rest: sqlite3.SQLITE_DENY if action in refused else sqlite3.SQLITE_OK)
        try:
            rows = []
            for statement in statements(request['source']):
                rows = database.execute(statement).fetchmany(10000)
            if request.get('inspect'):
                rows = database.execute(request['inspect']).fetchmany(10000)
            return {'outcomes': [{'json': dumps([list(row) for row in rows], default=plain, allow_nan=False)}]}
        except BaseException as error:
            return {'outcomes': [], 'failure': describe(error)}
        finally:
            database.close()

    def statements(source):
        start = 0
        for end, letter in enumerate(source):
            if letter == ';' and sqlite3.complete_statement(source[start:end + 1]):
                yield source[start:end + 1]
                start = end + 1
        if source[start:].strip():
            yield source[start:]

    def answer(text):
        request = loads(text)
        try:
            result = sql(request) if request['kind'] == 'sql' else python(request)
        except KeyboardInterrupt:
            result = {'outcomes': [], 'failure': late}
        finally:
            restore()
        return dumps(result)

    return answer

make()
`
