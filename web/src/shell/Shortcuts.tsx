import { ActionIcon, Kbd, Modal } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKeyboard } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { STOP_KEY } from "../laboratory/StopAll.tsx";
import { mayEverywhere, useSession } from "../session/may.ts";
import { PLACES } from "./places.ts";
import classes from "./Shortcuts.module.css";
import { isTyping } from "./typing.ts";

type Line = { keys: string[]; does: string };
const SECTIONS: { title: string; lines: Line[] }[] = [
  {
    title: "Everywhere",
    lines: [
      { keys: ["?"], does: "These shortcuts" },
      { keys: ["/"], does: "Search, or filter the page's table" },
      { keys: ["Ctrl", "K"], does: "Go to a page, campaign, batch or plate" },
      { keys: ["Esc"], does: "Close what is open" },
      { keys: [STOP_KEY], does: "Stop all robots (it asks first)" },
    ],
  },
  {
    title: "In tables",
    lines: [
      { keys: ["j"], does: "Next line (or ↓)" },
      { keys: ["k"], does: "Line before (or ↑)" },
      { keys: ["Enter"], does: "Open the line" },
      { keys: ["x"], does: "Choose the line (or space)" },
    ],
  },
  {
    title: "In a batch",
    lines: [
      { keys: ["a"], does: "Approve" },
      { keys: ["r"], does: "Remove what is chosen" },
      { keys: ["n"], does: "Add an experiment by hand" },
      { keys: ["v"], does: "Look at what others changed" },
    ],
  },
  {
    title: "On a plate",
    lines: [{ keys: ["←", "↑", "→", "↓"], does: "From well to well" }],
  },
];

/** The list of shortcuts under `?`, and the ones that lead to places. */
export function Shortcuts() {
  const [opened, { open, close }] = useDisclosure();
  const navigate = useNavigate();
  const session = useSession();
  const leading = useRef(0);
  const places = PLACES.flatMap((it) => it.places).filter(
    (place) => !place.needs || mayEverywhere(session, place.needs),
  );

  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "?") {
        open();
        event.preventDefault();
        return;
      }
      const afterG = Date.now() - leading.current < 1_200;
      leading.current = event.key === "g" ? Date.now() : 0;
      const place = afterG ? places.find((it) => it.key === event.key) : undefined;
      if (place) {
        void navigate({ to: place.to });
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    };
    document.addEventListener("keydown", listen, { capture: true });
    return () => document.removeEventListener("keydown", listen, { capture: true });
  });

  return (
    <>
      <ActionIcon
        size="lg"
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
        onClick={open}
        visibleFrom="sm"
      >
        <IconKeyboard size={18} stroke={1.6} />
      </ActionIcon>
      <Modal opened={opened} onClose={close} title="Keyboard shortcuts" size="lg">
        <div className={classes.grid}>
          {SECTIONS.map((section) => (
            <Section key={section.title} {...section} />
          ))}
          <Section
            title="Go to"
            lines={places.map((place) => ({ keys: ["g", place.key], does: place.label }))}
          />
        </div>
      </Modal>
    </>
  );
}

function Section({ title, lines }: { title: string; lines: Line[] }) {
  return (
    <section className={classes.section}>
      <h3>{title}</h3>
      <dl>
        {lines.map(({ keys, does }) => (
          <div key={does} className={classes.line}>
            <dt>
              {keys.map((key) => (
                <Kbd key={key} size="xs" mr={3}>
                  {key}
                </Kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
