//! Makes a program smaller that shows something: delta debugging by statements.
//!
//! A program is taken as what its indentation says: lines, with lines below. Siblings are removed in ever smaller groups, a
//! statement is replaced by what it contains, brackets by a number. Whatever still shows it is kept; what is not a
//! program any more does not show it.

/// A line and those below it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    line: String,
    below: Vec<Node>,
}

/// Where a node is: its index among its siblings, after those of the nodes around it.
type Way = Vec<usize>;

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn parse<'a>(lines: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>, indent: usize) -> Vec<Node> {
    let mut nodes = Vec::new();
    while let Some(line) = lines.next_if(|line| indentation(line) >= indent) {
        let own = indentation(line);
        let mut below = Vec::new();
        if lines.peek().is_some_and(|next| indentation(next) > own) {
            below = parse(lines, own + 1);
        }
        nodes.push(Node { line: line.trim().to_string(), below });
    }
    nodes
}

fn write(nodes: &[Node], indent: usize, text: &mut String) {
    for node in nodes {
        text.push_str(&"    ".repeat(indent));
        text.push_str(&node.line);
        text.push('\n');
        if node.below.is_empty() && node.line.ends_with(':') {
            text.push_str(&"    ".repeat(indent + 1));
            text.push_str("pass\n");
        }
        write(&node.below, indent + 1, text);
    }
}

fn siblings<'a>(nodes: &'a mut Vec<Node>, way: &[usize]) -> Option<&'a mut Vec<Node>> {
    match way {
        [] => Some(nodes),
        [first, rest @ ..] => siblings(&mut nodes.get_mut(*first)?.below, rest),
    }
}

/// The lists of siblings, from the outermost inwards.
fn levels(nodes: &[Node]) -> Vec<Way> {
    let mut found = vec![Way::new()];
    let mut at = 0;
    while let Some(way) = found.get(at).cloned() {
        let list = way.iter().fold(nodes, |nodes, index| &nodes[*index].below);
        for (index, node) in list.iter().enumerate().filter(|(_, node)| !node.below.is_empty()) {
            debug_assert!(!node.below.is_empty());
            found.push(way.iter().copied().chain([index]).collect());
        }
        at += 1;
    }
    found
}

struct Shrinker<F> {
    nodes: Vec<Node>,
    shows: F,
    /// How many more times it may be asked.
    left: usize,
}

impl<F: FnMut(&str) -> bool> Shrinker<F> {
    fn try_with(&mut self, change: impl FnOnce(&mut Vec<Node>) -> bool) -> bool {
        let mut nodes = self.nodes.clone();
        if self.left == 0 || !change(&mut nodes) || nodes == self.nodes {
            return false;
        }
        self.left -= 1;
        let mut text = String::new();
        write(&nodes, 0, &mut text);
        let still = (self.shows)(&text);
        if still {
            self.nodes = nodes;
        }
        still
    }

    /// Removes siblings in groups, large ones first.
    fn remove(&mut self) -> bool {
        let mut better = false;
        let mut at = 0;
        while let Some(way) = levels(&self.nodes).get(at).cloned() {
            let length = |this: &mut Self| siblings(&mut this.nodes, &way).map_or(0, |list| list.len());
            let mut group = length(self).div_ceil(2).max(1);
            loop {
                // From the end: what stands there depends on what stands before.
                let mut end = length(self);
                while end > 0 {
                    let start = end.saturating_sub(group);
                    better |= self.try_with(|nodes| {
                        siblings(nodes, &way).is_some_and(|list| list.drain(start..end).count() > 0)
                    });
                    end = start;
                }
                if group == 1 {
                    break;
                }
                group = group.div_ceil(2);
            }
            at += 1;
        }
        better
    }

    /// Puts what is below a line in its place.
    fn unwrap(&mut self) -> bool {
        let mut better = false;
        let mut at = 1;
        while let Some(way) = levels(&self.nodes).get(at).cloned() {
            let unwrapped = self.try_with(|nodes| {
                let Some((index, around)) = way.split_last() else { return false };
                let Some(list) = siblings(nodes, around) else { return false };
                let Some(node) = list.get(*index).cloned() else { return false };
                list.splice(*index..=*index, node.below);
                true
            });
            better |= unwrapped;
            at += usize::from(!unwrapped);
        }
        better
    }

    /// Makes the expressions of lines simpler.
    fn simplify(&mut self) -> bool {
        let mut better = false;
        for way in levels(&self.nodes) {
            let length = siblings(&mut self.nodes, &way).map_or(0, |list| list.len());
            for index in 0..length {
                better |= self.simplify_line(&way, index);
            }
        }
        better
    }

    fn simplify_line(&mut self, way: &[usize], index: usize) -> bool {
        let mut better = false;
        let mut from = 0;
        loop {
            let line = siblings(&mut self.nodes, way).map_or(String::new(), |list| list[index].line.clone());
            let Some((start, end)) = next_brackets(&line, from) else { return better };
            let inside = &line[start + 1..end - 1];
            let mut proposals = vec!["0".to_string(), "1".to_string(), "()".to_string(), inside.to_string()];
            proposals.extend(parts(inside).into_iter().map(|part| format!("({part})")));
            let simpler = proposals.into_iter().filter(|text| text.len() < end - start).any(|text| {
                self.try_with(|nodes| {
                    let Some(list) = siblings(nodes, way) else { return false };
                    list[index].line.replace_range(start..end, &text);
                    true
                })
            });
            better |= simpler;
            if !simpler {
                from = start + 1;
            }
        }
    }
}

/// The first pair of brackets that opens at or after that place.
fn next_brackets(line: &str, from: usize) -> Option<(usize, usize)> {
    let start = from + line.get(from..)?.find(['(', '[', '{'])?;
    let mut depth = 0;
    for (at, c) in line[start..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((start, start + at + 1));
        }
    }
    None
}

/// What stands between the commas and operators of an expression, brackets left whole.
fn parts(text: &str) -> Vec<&str> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ' ' | ',' if depth == 0 => {
                found.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(text[start..].trim());
    found.retain(|part| part.chars().any(char::is_alphanumeric));
    found
}

/// A smaller program that still shows it, with so many attempts at most.
pub fn shrink(program: &str, attempts: usize, shows: impl FnMut(&str) -> bool) -> String {
    let mut lines = program.lines().filter(|line| !line.trim().is_empty()).peekable();
    let nodes = parse(&mut lines, 0);
    let mut shrinker = Shrinker { nodes, shows, left: attempts };
    loop {
        let mut better = shrinker.remove();
        better |= shrinker.unwrap();
        if !better && !shrinker.simplify() {
            break;
        }
    }
    let mut text = String::new();
    write(&shrinker.nodes, 0, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::shrink;

    #[test]
    fn what_matters_is_left() {
        let program = "a = 1\nif a:\n    b = 2\n    for c in range(3):\n        print(f(c, (1 + 2)))\nelse:\n    d = 4\n";
        assert_eq!(
            shrink(program, 1000, |text| text.contains("print")),
            "print\n".replace("print", "print0")
        );
    }

    #[test]
    fn nothing_is_lost_when_nothing_can_go() {
        let program = "def f():\n    return 1\n\nf()\n";
        assert_eq!(shrink(program, 1000, |_| false), "def f():\n    return 1\nf()\n");
    }
}
