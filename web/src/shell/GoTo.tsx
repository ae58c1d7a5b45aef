import { Kbd, Modal, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type LinkProps, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { campaignsQuery, platesQuery, waitingBatchesQuery } from "../api/queries.ts";
import { may, mayEverywhere, useSession } from "../session/may.ts";
import { stockFoundQuery } from "../stock/queries.ts";
import { ROLE_WORDS } from "../stock/words.ts";
import classes from "./GoTo.module.css";
import { PLACES } from "./places.ts";
import { isTyping } from "./typing.ts";

type Target = { id: string; label: string; kind: string; link: LinkProps };

const SHOWN = 12;
/** The stock has more plates than are loaded: it is asked for those that fit, from so many characters on. */
const ENOUGH_TYPED = 3;
const QUIET_MS = 200;

/** Search for a place by name: `/` or Ctrl K. `/` goes to the page's own filter where there is one. */
export function GoTo() {
  const [opened, { open, close }] = useDisclosure();
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const isK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
      const isSlash = event.key === "/" && !isTyping(event) && !event.ctrlKey && !event.metaKey;
      if (!isK && !isSlash) return;
      event.preventDefault();
      const filter = isSlash ? document.querySelector<HTMLInputElement>("main [data-page-filter]") : null;
      if (filter) {
        filter.focus();
        filter.select();
      } else open();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, [open]);
  return (
    <>
      <UnstyledButton
        onClick={open}
        className={classes.opener}
        aria-label="Search for a page, campaign, batch or plate"
      >
        <IconSearch size={15} stroke={1.6} aria-hidden />
        <span className={classes.hint}>Go to a campaign, batch, plate…</span>
        <Kbd size="xs" className={classes.key}>
          Ctrl K
        </Kbd>
      </UnstyledButton>
      <Modal
        opened={opened}
        onClose={close}
        withCloseButton={false}
        padding={0}
        size={560}
        yOffset="12vh"
        aria-label="Go to"
      >
        <Finder close={close} />
      </Modal>
    </>
  );
}

function Finder({ close }: { close: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const places = useTargets();
  const stock = useStock(text);
  const targets = [...places, ...stock];
  const wanted = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const found = targets
    .filter((target) => wanted.every((word) => `${target.label} ${target.kind}`.toLowerCase().includes(word)))
    .slice(0, SHOWN);
  const chosen = found[Math.min(at, found.length - 1)];
  const go = (target: Target | undefined) => {
    if (!target) return;
    close();
    void navigate(target.link);
  };
  return (
    <search>
      <TextInput
        data-autofocus
        variant="unstyled"
        size="md"
        className={classes.input}
        leftSection={<IconSearch size={16} aria-hidden />}
        placeholder="Campaign, batch, plate barcode, page"
        aria-label="Search"
        role="combobox"
        aria-expanded
        aria-controls="go-to-found"
        aria-activedescendant={chosen ? `go-to-${chosen.id}` : undefined}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setAt(Math.min(found.length - 1, at + 1));
          else if (event.key === "ArrowUp") setAt(Math.max(0, at - 1));
          else if (event.key === "Enter") go(chosen);
          else return;
          event.preventDefault();
        }}
      />
      <div id="go-to-found" role="listbox" aria-label="Found" className={classes.list}>
        {found.map((target) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above takes the keys
          <div
            key={target.id}
            id={`go-to-${target.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={target === chosen}
            className={classes.option}
            onClick={() => go(target)}
          >
            <span className="lw-cut">{target.label}</span>
            <span className={classes.kind}>{target.kind}</span>
          </div>
        ))}
        {found.length === 0 ? <div className={classes.none}>Nothing is called that.</div> : null}
      </div>
    </search>
  );
}

function useStock(text: string): Target[] {
  const [asked] = useDebouncedValue(text.trim(), QUIET_MS);
  const enabled = asked.length >= ENOUGH_TYPED && !asked.includes(" ");
  const { data } = useQuery({ ...stockFoundQuery(asked), enabled });
  return ((enabled ? data : undefined) ?? []).map((plate) => ({
    id: `stock-${plate.barcode}`,
    label: plate.barcode,
    kind: `${(ROLE_WORDS[plate.role] ?? plate.role).toLowerCase()}, ${plate.state}`,
    link: { to: "/stock/$barcode", params: { barcode: plate.barcode } } as LinkProps,
  }));
}

function useTargets(): Target[] {
  const session = useSession();
  const campaigns = useQuery(campaignsQuery);
  const batches = useQuery(waitingBatchesQuery);
  const plates = useQuery(platesQuery({}));
  return useMemo(() => {
    const places = PLACES.flatMap((it) => it.places).filter(
      (place) => !place.needs || mayEverywhere(session, place.needs),
    );
    return [
      ...(batches.data?.items ?? []).map((batch) => ({
        id: batch.id,
        label: `${batch.campaign}, round ${batch.round}`,
        kind: "batch that waits",
        link: { to: "/batches/$batchId", params: { batchId: batch.id } } as LinkProps,
      })),
      ...(campaigns.data?.items ?? []).map((campaign) => ({
        id: campaign.id,
        label: campaign.name,
        kind: "campaign",
        link: { to: "/campaigns/$campaignId", params: { campaignId: campaign.id } } as LinkProps,
      })),
      ...places.map((place) => ({
        id: place.to,
        label: place.label,
        kind: "page",
        link: { to: place.to } as LinkProps,
      })),
      ...(may(session, "campaign:write")
        ? [
            {
              id: "/campaigns/new",
              label: "New campaign",
              kind: "page",
              link: { to: "/campaigns/new" } as LinkProps,
            },
          ]
        : []),
      { id: "/account", label: "My account", kind: "page", link: { to: "/account" } as LinkProps },
      ...(plates.data?.items ?? []).map((plate) => ({
        id: plate.id,
        label: plate.barcode,
        kind: `plate, ${plate.state}`,
        link: { to: "/plates/$plateId", params: { plateId: plate.id } } as LinkProps,
      })),
    ];
  }, [session, campaigns.data, batches.data, plates.data]);
}
