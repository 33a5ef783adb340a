import { Menu, Tooltip, UnstyledButton } from "@mantine/core";
import { useMutation, useQuery, type UseMutationResult } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { assign, fetchNextUnread } from "../server/queue";
import type { Me, Study } from "../server/types";
import { queryClient, readersQuery } from "../state/queries";
import { commandOf } from "../tools/commands";
import { BusyButton } from "./busy_button";
import { Icon } from "./icons";
import { useKeyHint } from "./key_hint";
import { detailOf } from "./problem";
import styles from "./reading_queue.module.css";

export interface NextUnread extends Pick<UseMutationResult<Study | null>, "data" | "error" | "isPending"> {
  /** Opens it, unless somebody has left the page before it was known. */
  open(): void;
}

/** The next unread study; null when there is none. @param after the study that is open now */
export function useNextUnread(after: string | null): NextUnread {
  const navigate = useNavigate();
  const asking = useMutation({ mutationFn: () => fetchNextUnread(after) });
  const open = () => asking.mutate(undefined, { onSuccess: (next) => void (next && navigate(`/studies/${next.id}`)) });
  return { ...asking, open };
}

export function NextUnreadButton({ next }: { next: NextUnread }) {
  const hint = useKeyHint(commandOf("queue.next"), "Assigned to you first, then by predicted activity");
  const told = next.error ? detailOf(next.error) : next.data === null ? "No unread study is left." : "";
  return (
    <span className={styles.next}>
      <span role="status" className={styles.told} data-testid="next-unread-told">{told}</span>
      <Tooltip label={hint}>
        <BusyButton
          variant="default" size="compact-sm" isBusy={next.isPending} onClick={next.open}
          rightSection={<Icon name="forward" size={13} />} data-testid="next-unread"
        >
          Next unread
        </BusyButton>
      </Tooltip>
    </span>
  );
}

function useAssigning(study: string) {
  return useMutation({
    mutationFn: (reader: string | null) => assign(study, reader),
    onSettled: () => {
      void queryClient.invalidateQueries({ queryKey: ["study", study] });
      void queryClient.invalidateQueries({ queryKey: ["studies"] });
    },
  });
}

/**
 * Who reads a study, and the way to take or release it; those who manage the reading give it to anybody. The menu stays open until the
 * server has taken what was chosen, and says there what it refused.
 */
export function AssignmentMenu({ study, me }: { study: Study; me: Me }) {
  const assigned = study.assigned_to;
  const [isOpen, setOpen] = useState(false);
  const assigning = useAssigning(study.id);
  const canManage = me.actions.includes("reading.manage");
  const readers = useQuery({ ...readersQuery, enabled: canManage });
  const label = assigned === null ? "Unassigned" : assigned === me.username ? "Assigned to you" : assigned;
  if (!me.actions.includes("annotation.edit")) return <span className={styles.assigned}>{label}</span>;
  const mayRelease = assigned !== null && (canManage || assigned === me.username);
  const give = (reader: string | null) => assigning.isPending || assigning.mutate(reader, { onSuccess: () => setOpen(false) });
  const change = (opens: boolean) => {
    if (!opens && !assigning.isPending) assigning.reset();
    setOpen(opens);
  };
  return (
    <Menu position="bottom-end" shadow="md" width={220} opened={isOpen} onChange={change} closeOnItemClick={false}>
      <Menu.Target>
        <UnstyledButton className={styles.assigned} aria-label={`Assignment: ${label}`} data-testid="assignment" data-assigned={assigned ?? undefined}>
          <Icon name="user" size={14} />
          {label}
          <Icon name="down" size={11} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {(assigned === null || (canManage && assigned !== me.username)) && <Menu.Item onClick={() => give(me.username)} data-testid="assign-to-me">Assign to me</Menu.Item>}
        {assigned !== null && !mayRelease && <Menu.Label>{`${assigned} can release it`}</Menu.Label>}
        {mayRelease && <Menu.Item onClick={() => give(null)} data-testid="release">Release</Menu.Item>}
        {canManage && <Menu.Divider />}
        {canManage && <Menu.Label>Assign to</Menu.Label>}
        {canManage && (readers.data ?? []).map(({ username, name }) => (
          <Menu.Item key={username} onClick={() => give(username)} rightSection={username === assigned ? <Icon name="check" /> : null}>
            {name || username}
          </Menu.Item>
        ))}
        {readers.isError && <Menu.Label className={styles.refused} role="alert">{detailOf(readers.error)}</Menu.Label>}
        {assigning.isError && <Menu.Label className={styles.refused} role="alert">{detailOf(assigning.error)}</Menu.Label>}
      </Menu.Dropdown>
    </Menu>
  );
}
