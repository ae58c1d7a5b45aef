import { AppShell, Burger, Group } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useRouterState } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { StopAll } from "../laboratory/StopAll.tsx";
import { StopBanner } from "../laboratory/StopBanner.tsx";
import { Bell } from "../notifications/Bell.tsx";
import { ReconciliationBanner } from "../reconciliation/ReconciliationBanner.tsx";
import { AccountMenu } from "./AccountMenu.tsx";
import classes from "./AppFrame.module.css";
import { ColorSchemeSwitch } from "./ColorSchemeSwitch.tsx";
import { GoTo } from "./GoTo.tsx";
import { LabClockFace } from "./LabClockFace.tsx";
import { Mark } from "./Mark.tsx";
import { Navigation } from "./Navigation.tsx";
import { Shortcuts } from "./Shortcuts.tsx";
import { StandingSign } from "./StandingSign.tsx";

/** What stands around every page of somebody who is signed in. */
export function AppFrame({ children }: { children: ReactNode }) {
  const [opened, { toggle, close }] = useDisclosure();
  const pathname = useRouterState({ select: (state) => state.location.pathname });

  // A new page begins with its heading, also for whoever does not see it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what it waits for
  useEffect(() => {
    close();
    const frame = requestAnimationFrame(() => {
      if (document.activeElement === document.body) return;
      document.getElementById("page-title")?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [pathname]);

  return (
    <AppShell
      layout="alt"
      header={{ height: 48 }}
      navbar={{ width: { base: 216, lg: 216 }, breakpoint: "md", collapsed: { mobile: !opened } }}
      padding={0}
    >
      <a href="#main" className={classes.skip}>
        Skip to content
      </a>
      <AppShell.Header className={classes.header}>
        <Group gap="sm" wrap="nowrap">
          <Burger opened={opened} onClick={toggle} hiddenFrom="md" size="sm" aria-label="Places" />
          <Group hiddenFrom="md" gap={8}>
            <Mark />
          </Group>
          <GoTo />
        </Group>
        <Group gap="xs" wrap="nowrap">
          <StopAll />
          <StandingSign />
          <LabClockFace />
          <Bell />
          <Shortcuts />
          <ColorSchemeSwitch />
          <AccountMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar}>
        <Navigation
          burger={<Burger opened={opened} onClick={toggle} hiddenFrom="md" size="sm" aria-label="Close" />}
        />
      </AppShell.Navbar>
      <AppShell.Main id="main" className={classes.main}>
        <StopBanner />
        <ReconciliationBanner />
        <div className={classes.page}>{children}</div>
      </AppShell.Main>
    </AppShell>
  );
}
