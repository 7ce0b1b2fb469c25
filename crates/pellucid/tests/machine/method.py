# claim: calls inlined = 1
# claim: instructions out of line = 0
class Account:
    def __init__(self):
        self.balance = 0

    def pay(self, amount):
        self.balance += amount

def f(account, n):
    for i in range(n):
        account.pay(i)

account = Account()
for _ in range(60):
    f(account, 50)
answer = account.balance
