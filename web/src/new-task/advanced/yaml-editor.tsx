import { autocompletion, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, indentUnit } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { Annotation, EditorState } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { useEffect, useRef } from "react";
import { type ChoicesOf, completionAt } from "../document/completion";
import type { GroupSpec } from "../document/task-schema";
import type { TextFault } from "../document/task-text";
import { editorTheme, highlighting } from "./editor-theme";
import { differenceOf } from "./text-difference";

interface YamlEditorProps {
  text: string;
  marks: readonly TextFault[];
  groups: readonly GroupSpec[];
  choicesOf: ChoicesOf;
  onChange: (text: string) => void;
}

/** Marks changes that come from the form: they are not sent back to it. */
const fromForm = Annotation.define<boolean>();

/** Editor of the text. Changes of the form come in as the few characters that differ. */
export default function YamlEditor(props: YamlEditorProps) {
  const { text, marks } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    if (host.current === null) return;
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({ doc: latest.current.text, extensions: extensionsOf(latest) }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = null;
    };
  }, []);

  useEffect(() => {
    const editor = view.current;
    if (editor === null) return;
    const shown = editor.state.doc.toString();
    if (shown === text) return;
    editor.dispatch({ changes: differenceOf(shown, text), annotations: fromForm.of(true) });
  }, [text]);

  useEffect(() => {
    const editor = view.current;
    if (editor === null) return;
    const { length } = editor.state.doc;
    const diagnostics = marks.map(({ from, to, message }) => ({
      from: Math.min(from, length),
      to: Math.min(Math.max(to, from), length),
      severity: "error" as const,
      message,
    }));
    editor.dispatch(setDiagnostics(editor.state, diagnostics));
  }, [marks]);

  return <div ref={host} />;
}

function extensionsOf(latest: { current: YamlEditorProps }) {
  return [
    lineNumbers(),
    lintGutter(),
    history(),
    drawSelection(),
    highlightActiveLine(),
    bracketMatching(),
    closeBrackets(),
    indentUnit.of("  "),
    yaml(),
    highlighting,
    editorTheme,
    EditorView.contentAttributes.of({
      "aria-label": "YAML of the task",
      "aria-description": "Tab indents; Escape, then Tab leaves the editor.",
      spellcheck: "false",
      tabindex: "0",
    }),
    EditorView.updateListener.of((update) => {
      const isOwn = update.transactions.some((each) => each.annotation(fromForm));
      if (update.docChanged && !isOwn) latest.current.onChange(update.state.doc.toString());
    }),
    autocompletion({
      override: [
        ({ state, pos, explicit }) => {
          const { groups, choicesOf } = latest.current;
          const found = completionAt(state.doc.toString(), pos, groups, choicesOf);
          if (found === null || (found.from === pos && !explicit)) return null;
          return found;
        },
      ],
    }),
    // Escape, then Tab leaves the editor: the keyboard is not caught in it.
    keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
  ];
}
