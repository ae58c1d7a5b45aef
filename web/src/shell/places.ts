import {
  type Icon,
  IconBellRinging,
  IconCalendarWeek,
  IconChecklist,
  IconClipboardList,
  IconFlask2,
  IconFolders,
  IconHandGrab,
  IconHistory,
  IconHome2,
  IconKey,
  IconListDetails,
  IconRobot,
  IconStack2,
  IconTargetArrow,
  IconUsers,
} from "@tabler/icons-react";
import type { Scope } from "../api/types.ts";

export type Place = {
  to:
    | "/"
    | "/campaigns"
    | "/batches"
    | "/plates"
    | "/stock"
    | "/jobs"
    | "/instruments"
    | "/tasks"
    | "/by-hand"
    | "/calendar"
    | "/events"
    | "/users"
    | "/projects"
    | "/channels"
    | "/tokens";
  label: string;
  icon: Icon;
  /** Second key of `g ...`. */
  key: string;
  /** Everywhere: these belong to no project. */
  needs?: Scope;
};

/** The app's places, in the order in which work flows through them. */
export const PLACES: { group: string | null; places: Place[] }[] = [
  { group: null, places: [{ to: "/", label: "Home", icon: IconHome2, key: "h" }] },
  {
    group: "Loop",
    places: [
      { to: "/campaigns", label: "Campaigns", icon: IconTargetArrow, key: "c" },
      { to: "/batches", label: "Batches", icon: IconChecklist, key: "b" },
      { to: "/calendar", label: "Calendar", icon: IconCalendarWeek, key: "w" },
    ],
  },
  {
    group: "Laboratory",
    places: [
      { to: "/plates", label: "Plates", icon: IconFlask2, key: "p" },
      { to: "/stock", label: "Stock", icon: IconStack2, key: "s" },
      { to: "/jobs", label: "Jobs", icon: IconListDetails, key: "j" },
      { to: "/instruments", label: "Instruments", icon: IconRobot, key: "i" },
      { to: "/tasks", label: "Tasks", icon: IconClipboardList, key: "t" },
      { to: "/by-hand", label: "By hand", icon: IconHandGrab, key: "m" },
    ],
  },
  {
    group: "Record",
    places: [
      { to: "/events", label: "Events", icon: IconHistory, key: "e" },
      { to: "/tokens", label: "Tokens", icon: IconKey, key: "k" },
      { to: "/users", label: "Users", icon: IconUsers, key: "u", needs: "admin" },
      { to: "/projects", label: "Projects", icon: IconFolders, key: "o", needs: "admin" },
      { to: "/channels", label: "Channels", icon: IconBellRinging, key: "n", needs: "admin" },
    ],
  },
];
