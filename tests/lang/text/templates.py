# Template strings: their parts, what they take, and what their syntax refuses.
from string.templatelib import Template, Interpolation, convert
import string
name="World"; x=42
t=t"Hello {name}!"
print(t.strings, t.values, t.interpolations, type(t))
print(repr(t)); print(repr(t.interpolations[0]))
i=t"{x!r:>{5}}".interpolations[0]
print(i.value,i.expression,i.conversion,i.format_spec)
print(list(t"a{x}b{name}c"), list(t""), list(t"{x}"))
print(t"".strings, t"{x}{name}".strings)
print((t"a{x}"+t"b{name}").strings)
try: t"a"+"b"
except TypeError as e: print(e)
try: "a"+t"b"
except TypeError as e: print(e)
print((t"a" t"b{x}").strings)
try: compile('t"a" "b"','','eval')
except SyntaxError as e: print(e.msg)
try: compile('t"a" f"b"','','eval')
except SyntaxError as e: print(e.msg)
try: compile('t"a" b"b"','','eval')
except SyntaxError as e: print(e.msg)
for s in ('t"{}"','t"{!r}"','t"{x!z}"','t"{x"','t"}"','bt"x"','ut"x"','ft"x"','t"{a b}"', 't"{lambda x:1}"', 't"{x:{y:{z:{w}}}}"', 't"{*a}"', 't"{x=', "t'{x!r:a'", 't"{x! r}"', 't"'):
    try: print(s, ascii(eval(s)))
    except Exception as e: print(s, type(e).__name__, getattr(e,'msg',e))
print(t"{x=}".strings, t"{x=}".interpolations, t"{x = !s:>4}".strings, t"{x = !s:>4}".interpolations)
print(rt"\n{x}".strings, tr"\d".strings, Tr"\d{x}".strings)
print(Interpolation(1), Interpolation(1,'x','r','>3'))
for bad in (lambda: Interpolation(), lambda: Interpolation(1,2), lambda: Interpolation(1,'x','q'), lambda: Interpolation(1,'x',None,3), lambda: Template(1), lambda: Template('a',b=1), lambda: t.foo, lambda: setattr(t,'strings',1), lambda: type('X',(Template,),{}), lambda: type('X',(Interpolation,),{}), lambda: t"{1/0}", lambda: t"{undefined}"):
    try: print(bad())
    except Exception as e: print(type(e).__name__, e)
print(Template('a','b',Interpolation(1,'x'),Interpolation(2,'y'),'c').strings, Template().strings)
print(t == t"Hello {name}!", hash(t) == hash(t), t is t)
match t:
    case Template(strings=s, interpolations=(Interpolation(v,e,c,f),)): print(s,v,e,c,f)
print(Interpolation.__match_args__, Template.__iter__, type(iter(t)))
def f(t):
    out=[]
    for p in t:
        if isinstance(p,str): out.append(p)
        else: out.append(format(convert(p.value,p.conversion),p.format_spec))
    return ''.join(out)
print(f(t"Hi {name!r:>10} {x:05d} {{literal}} {x!s} {'é'!a}"))
print(t'''multi
{x} line {
 x  # comment
 + 1
}'''.interpolations)
print(t"{ x }".interpolations[0].expression, t"{(x)}".interpolations[0].expression, t"{ x +1 !r}".interpolations[0].expression)
print(t"nested {t'{x}'}".interpolations[0].value, t"{f'{x}'}".values, f"{t'{x}'}")
print([t"{i}".values for i in range(3)], (lambda: t"{x}")().values)
import pickle, copy, ast
print(copy.copy(t).strings, t"{x:%Y-%m}".interpolations[0].format_spec, t"{x:{name}:{x}}".interpolations[0].format_spec)
print(ast.dump(ast.parse('t"a{x!r:b}"',mode='eval')))
print(ast.unparse(ast.parse('t"a{x!r:b}{y=}{{"')))
print(Template.__module__, Interpolation.__module__, Interpolation[int])
print(t"\N{BULLET}\x41{x}\u20ac".strings)
p=pickle.loads(pickle.dumps(t)); print(p.strings, p.values)
